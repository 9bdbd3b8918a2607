"""What everything else speaks of: errors, numbers, shapes, conventions, words."""
