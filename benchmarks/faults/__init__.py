"""``orderline faults``: breaks things during real calls and checks that every caller reaches staff or a proper end."""
