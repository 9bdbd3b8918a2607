"""`python -m archcalc`."""

from archcalc.cli import program

if __name__ == "__main__":
    program()
