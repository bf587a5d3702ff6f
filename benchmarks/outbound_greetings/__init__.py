"""What people, voicemails, menus and screeners say when they answer, and what the opening makes of it."""
