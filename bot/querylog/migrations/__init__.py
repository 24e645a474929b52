"""The Alembic environment; a package only so that it is installed with the program."""
