# For a Roundup tracker: append this to the tracker's schema.py, restart it, and give the agent's user this one role.
# ruff: noqa - schema.py is run by Roundup, which brings String, db and the rest

# Marks the tickets of the phone agent (Orderline), so that asking twice makes one ticket.
db.getclass("issue").properties["phone_key"] = String()

# The agent files tickets by REST, and sees no others than its own.
db.security.addRole(name="Phone agent", description="Files tickets by REST and finds its own again")
for name in "Web Access", "Rest Access":
    db.security.addPermissionToRole("Phone agent", name)
for klass in "issue", "msg":
    db.security.addPermissionToRole("Phone agent", "Create", klass)
    db.security.addPermissionToRole("Phone agent", db.security.addPermission(name="Search", klass=klass))
    db.security.addPermissionToRole(
        "Phone agent",
        db.security.addPermission(
            name="View",
            klass=klass,
            check=lambda db, userid, itemid, klass=klass: db.getclass(klass).get(itemid, "creator") == userid,
            description="The phone agent views what it has made",
        ),
    )
for klass in "priority", "status":
    db.security.addPermissionToRole("Phone agent", "View", klass)
