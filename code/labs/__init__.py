"""Makes the question and the solution of a lab from one template, and runs what is
submitted."""
