"""Networks that restore captured pictures for viewing, with faces masked: training, export, inference."""
