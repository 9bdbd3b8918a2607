"""What people write in answers and claims, read exactly: numbers, shapes, calculations, and typos in them."""
