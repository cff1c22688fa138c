"""A process that answers a test without end, and says each answer that it was told is kept.

python -m tests.human.writer FILE
"""

import itertools
import sys
from pathlib import Path

from jaxdistort.human import Store
from tests.human.simulated import naming, person

if __name__ == "__main__":
  questionnaire = naming()
  with Store(Path(sys.argv[1]), questionnaire) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    for turn in itertools.count():
      own = store.add_person()
      for given in person(questionnaire, own, 10, 5, turn):
        store.add(given)
        print(given.person, given.question, given.kind, given.level, flush=True)
