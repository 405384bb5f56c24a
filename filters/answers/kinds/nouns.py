"""Nouns that are counted: after a number they say of what, and change nothing about it.

Words that are a part or a multiple (`sixths`, `dozen`, `pairs`) or that join the number to something else do not
belong here. `quarter`, `half`, `score` and `times` are left out for the same reason.
"""

import re

_PEOPLE = """
person man woman child boy girl student teacher friend member player worker employee customer guest passenger visitor
adult kid baby brother sister family parent patient doctor nurse soldier farmer runner driver reader voter citizen
resident tourist worker volunteer graduate freshman senior junior sophomore dancer singer actor musician scout camper
athlete swimmer applicant candidate contestant winner competitor participant spectator fan neighbor classmate pupil
"""
_ANIMALS = """
animal dog cat puppy kitten bird fish cow horse sheep goat pig chicken duck goose rabbit frog spider ant bee butterfly
elephant lion tiger bear monkey mouse rat turtle snake lizard fly insect bug deer wolf fox whale shark dolphin penguin
hen rooster turkey donkey camel giraffe zebra worm snail crab hamster parrot pigeon
"""
_FOOD = """
egg apple orange banana cookie cake cupcake pie pizza slice sandwich candy chocolate cherry grape lemon lime peach pear
plum melon watermelon strawberry blueberry berry tomato potato carrot onion pumpkin nut peanut almond bean seed
bagel muffin donut doughnut brownie cracker pretzel chip burger hamburger hotdog taco burrito roll loaf biscuit
pancake waffle meal snack lunch dinner breakfast dish drink soda juice milk coffee tea water serving piece bite pepper
mango pineapple coconut raisin lollipop gumball marshmallow pickle cucumber cabbage mushroom
"""
_THINGS = """
ball marble toy doll block brick tile card coin dime nickel penny bill ticket stamp sticker button bead ring
necklace bracelet book page chapter notebook pencil pen crayon marker eraser paper sheet letter word sentence line
paragraph magazine newspaper envelope postcard photo picture painting poster map flag balloon candle bulb lamp light
box bag bottle can jar basket bucket carton crate pack package packet bundle container tray plate bowl glass mug
spoon fork knife napkin chair table desk bench bed sofa shelf drawer door window wall room floor house home building
apartment store shop school class classroom office hospital hotel restaurant park garden farm field city town country
state street road bridge car truck bus train plane boat ship bicycle bike motorcycle wheel tire seat shirt
dress skirt hat cap coat jacket sweater scarf sock glove shoe boot sneaker uniform blanket pillow towel rug curtain
flower rose tulip daisy tree bush plant leaf branch log stick rock stone shell feather rope string ribbon wire nail
screw tool hammer battery phone computer laptop camera television radio clock watch game puzzle song album movie video
show episode story poem message email call post subscriber instrument guitar piano drum violin trophy medal prize gift
present award badge trip tour visit lap round match goal basket touchdown run hit shot throw pitch inning point mark
grade test quiz exam question problem exercise assignment homework project lesson course subject vote signature survey
die key bar barrel tank tub pot pan brush can gadget robot part unit item object thing product set sample
article figurine action model kite sled tent bullet arrow lego comic cd dvd disc record rocket
"""
_MATHEMATICS = """
number integer digit term factor divisor multiple solution root value zero pair element member subset set group
permutation combination arrangement way possibility outcome case choice option path route step move turn point
line segment ray side edge face vertex corner angle diagonal triangle square rectangle circle polygon pentagon hexagon
cube region area intersection chord row column cell tile function graph
prime sequence zero intercept asymptote handshake tangent lattice parallelogram trapezoid quadrilateral code password
committee team seating path color colour shape pattern layer level story floor box position place order schedule
"""
_AMOUNTS = """
unit piece item hour minute second day week month year weekday weekend night morning afternoon evening shift
lifetime class period semester session appointment meeting
"""
# Words that say more about what is counted, before and after it, and change no number.
_ADJECTIVES = """
different distinct possible total unique such red blue green yellow orange black white brown pink purple grey gray small
large big little full new old young tall short long positive real prime valid
"""
ADJECTIVES = frozenset(_ADJECTIVES.split())
TRAILING = re.compile(
    r"\s+(?:old|tall|long|high|deep|wide|away|apart|in total|in all|altogether|total|in length|in height|of age)$"
)
# `pair`, `square`, `cube` and `multiple` would change the number before them; they are shapes only in `4 squares`.
_AMBIGUOUS = {"pair", "square", "cube", "multiple", "root", "zero", "factor", "run", "can", "show", "pitch"}
COUNTED = frozenset(" ".join((_PEOPLE, _ANIMALS, _FOOD, _THINGS, _MATHEMATICS, _AMOUNTS)).split()) - _AMBIGUOUS
