"""SMS text as people type it → a request, a command, or why it is neither; one grammar a form."""
