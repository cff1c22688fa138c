"""Sidecars in XMP: what was found, as ratings and keywords that photo managers read; pictures stay as they are."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from jaxdistort.errors import printable
from jaxdistort.files import write_whole
from jaxdistort.scanning.tables import UNCLEAR, UNREADABLE, Known
from jaxdistort.tasks import CLEAN

_OURS = 'xmp:CreatorTool="jaxdistort"'
_STARS = ((0.75, 1), (0.5, 2), (0.25, 3), (0, 4))  # from a severity on
_CLEAN = 5  # stars
_PAGE = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    {ours}{rating}>
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

  Five stars where nothing was found, else four to one by the greatest severity; none where nothing can be told. The
  keywords are the groups and kinds, or what is said instead. Sidecars of an earlier scan are replaced, or left alone
  where they say the same; those of others are never touched.

  Args:
    folder: of the pictures.
    rows: of the table.
  """
  for row in rows:
    if row.findings == (UNREADABLE,):
      continue
    path = folder / f"{row.path}.xmp"
    there = ""
    with suppress(FileNotFoundError):
      there = path.read_text(encoding="utf-8", errors="replace")
    if there and _OURS not in there:
      yield printable(f"{path}: left as it is, another program wrote it")
    elif (content := _page(row)) != there:
      write_whole(path, content)


def _page(row: Known) -> str:
  words = dict.fromkeys([*row.findings, *row.kinds])
  keywords = "\n".join(f"     <rdf:li>{word.replace('_', ' ')}</rdf:li>" for word in words)
  stars = _stars(row)
  rating = "" if stars is None else f' xmp:Rating="{stars}"'
  return _PAGE.format(ours=_OURS, rating=rating, keywords=keywords)


def _stars(row: Known) -> int | None:
  if row.findings in ((CLEAN,), (UNCLEAR,)):
    return _CLEAN if row.findings == (CLEAN,) else None
  worst = max(row.severities.values())
  return next(stars for least, stars in _STARS if worst >= least)
