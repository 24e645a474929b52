"""The pages, one module each; a module's PAGE names it in the navigation and makes its routes."""
