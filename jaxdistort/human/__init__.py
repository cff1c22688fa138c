"""People take the test that the recogniser takes: which distortion is it, and how strong?"""

from jaxdistort.human.questionnaire import Question, Questionnaire
from jaxdistort.human.questions import HumanTest, make_test
from jaxdistort.human.report import Report, make_report
from jaxdistort.human.store import AnsweredAlready, Given, Store, Unknown, read_store

__all__ = [
  "AnsweredAlready",
  "Given",
  "HumanTest",
  "Question",
  "Questionnaire",
  "Report",
  "Store",
  "Unknown",
  "make_report",
  "make_test",
  "read_store",
]
