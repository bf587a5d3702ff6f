"""REST systems by configuration: mapping files turn an operation into requests and answers into shop models."""
