"""What can be measured: a suite is a question, and a way to answer it in a short and in a long form."""
