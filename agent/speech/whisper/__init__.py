"""A larger recogniser beside the first: whisper by CTranslate2, in a process of its own."""
