"""The languages that packs may name: one folder a language with its words for numbers, days, choices and prompts."""
