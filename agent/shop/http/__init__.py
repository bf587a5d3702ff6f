"""REST systems by configuration: mapping files say how an operation becomes requests and a noun again."""
