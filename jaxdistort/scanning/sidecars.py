"""Sidecars in XMP: what was found, as ratings and keywords that photo managers read; pictures stay as they are."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from jaxdistort.errors import printable, reason_of
from jaxdistort.files import write_whole
from jaxdistort.scanning.formats import UNCLEAR, UNREADABLE, Known
from jaxdistort.tasks import CLEAN

_OURS = re.compile(r'xmp:CreatorTool="jaxdistort ([0-9a-f]{16})"')  # a digest of the rest
_UNSIGNED = "0" * 16
_STARS = ((0.75, 1), (0.5, 2), (0.25, 3), (0, 4))  # from a severity on
_CLEAN = 5  # stars
_PAGE = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmp:CreatorTool="jaxdistort {digest}"{rating}>
   <dc:subject>
    <rdf:Bag>
{keywords}
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def write_sidecars(folder: Path, rows: Iterable[Known]) -> Iterator[str]:
  """Writes NAME.xmp beside every picture that could be read; yields a line on each that somebody else wrote.

  Five stars where nothing was found, else four to one by the greatest severity (one where there is none); none where
  nothing can be told. The keywords are the groups and kinds, or what is said instead. Sidecars of an earlier scan are
  replaced, or left alone where they say the same; those of others, and what somebody changed in ours, are never
  touched.

  Args:
    folder: of the pictures.
    rows: of the table.
  """
  for row in rows:
    if row.findings == (UNREADABLE,):
      continue
    path = folder / f"{row.path}.xmp"
    try:
      there = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
      if there and not _is_ours(there):
        yield printable(f"{path}: left as it is, somebody else wrote it")
      elif (content := _page(row)) != there:
        write_whole(path, content)
    except OSError as error:
      yield printable(f"{path}: not written ({reason_of(error)})")


def _is_ours(page: str) -> bool:
  """Whether a sidecar is as it was written by us."""
  signed = _OURS.search(page)
  return signed is not None and _signed(page.replace(signed[1], _UNSIGNED)) == page


def _signed(page: str) -> str:
  return page.replace(_UNSIGNED, hashlib.blake2b(page.encode(), digest_size=8).hexdigest())


def _page(row: Known) -> str:
  words = dict.fromkeys([*row.findings, *row.kinds])
  keywords = "\n".join(f"     <rdf:li>{word.replace('_', ' ')}</rdf:li>" for word in words)
  stars = _stars(row)
  rating = "" if stars is None else f' xmp:Rating="{stars}"'
  return _signed(_PAGE.format(digest=_UNSIGNED, rating=rating, keywords=keywords))


def _stars(row: Known) -> int | None:
  if row.findings in ((CLEAN,), (UNCLEAR,)):
    return _CLEAN if row.findings == (CLEAN,) else None
  worst = 1.0 if row.worst is None else row.worst
  return next(stars for least, stars in _STARS if worst >= least)
