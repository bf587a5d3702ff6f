"""The running agent's own HTTP server: active calls, live feed, pause, shutdown, FastAGI services."""
