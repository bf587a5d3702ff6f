"""``orderline faults``: things are broken on real calls, and every caller still reaches a person or an honest end."""
