"""Files of any size, scored with the champion."""
