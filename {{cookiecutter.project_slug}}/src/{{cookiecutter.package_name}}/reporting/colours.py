"""The few colours of the report.

Blue for the model and orange for what calls for attention are Okabe and Ito's, which people with
any colour vision can tell apart (https://jfly.uni-koeln.de/color/); the rest are greys.
"""

BLUE = "#0072B2"
SKY = "#56B4E9"
ORANGE = "#D55E00"
INK = "#1f2933"
GREY = "#5d6976"
PALE = "#d5dbe1"
FAINT = "#edf0f3"
