"""The dashboard at `/admin/`: what was asked, what was not answered, and what to do about it."""
