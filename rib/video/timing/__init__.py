"""Time stamps of frames, and the nominal rate that an unsteady clock means."""
