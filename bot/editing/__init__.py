"""What people and programs do to knowledge files: mend, scaffold, try, save, undo. Plain functions over bytes."""
