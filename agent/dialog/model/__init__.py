"""The typed model of a flow pack: what the YAML files may contain."""
