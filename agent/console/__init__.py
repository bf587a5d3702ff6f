"""The console in the browser: live calls, call log, reports, people; a process of its own."""
