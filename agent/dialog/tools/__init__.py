"""Tools on a flow pack: chat, text calls, drawings, schemas."""
