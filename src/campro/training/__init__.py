"""Parts of training loops that several loops share: averaged weights, schedules, gradient steps, checkpoints."""
