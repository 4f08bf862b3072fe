"""The sheet: paper, the frame of each page, and lines of text that fit between its edges."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from canvas_admin.records import clock
from patients.printing.glyphs import FACES, FAMILY, drawable, needs_shaping

# All lengths are in millimetres, the sizes of letters in points.
EDGE = 18
HEAD = 32
FOOT = 18
TEXT = 9
SMALL = 8
LEADING = 4.4
INK, QUIET, RULE, SHADE = 25, 95, 200, 240
# Two digits, as PAGES has.
MOST_PAGES = 99
# Stands for the number of pages until it is known; no printed text can hold it.
PAGES = "\ue000\ue000"


@dataclass(frozen=True)
class Frame:
    """What every page is: paper, clinic, title, whom it is about, who printed it when."""

    paper: str
    clinic: str
    title: str
    name: str
    about: str
    printed: str


class Sheet(FPDF):
    """Pages that are written from top to bottom; blocks.py has what is written on them.

    After MOST_PAGES nothing more is written, and the last line says so.
    """

    def __init__(self, frame: Frame) -> None:
        super().__init__(format=frame.paper)
        self.frame = frame
        self.cut_off = False
        self._widths: dict[tuple[str, float, str], float] = {}
        for style, path in FACES.items():
            self.add_font(FAMILY, style, path)
        self.set_auto_page_break(False)
        self.set_margin(EDGE)
        self.c_margin = 0
        self.alias_nb_pages(PAGES)
        self.set_title(drawable(frame.title))
        self.set_lang(get_language() or "en")
        self.set_creation_date(clock.now())
        self.add_page()

    # The page

    def header(self) -> None:
        """Clinic and title above a rule, below them the patient; the text begins there."""
        half = self.epw / 2
        self.write_in("B", SMALL, QUIET)
        self.put(EDGE, 12, half, self.fitting(self.frame.clinic, half))
        self.write_in("B", 12)
        title = self.fitting(self.frame.title, half)
        self.put(EDGE + half, 11.5, half, title, "R")
        self.rule(17.5)
        if self.frame.name:
            self.write_in("B", 12)
            name = self.fitting(self.frame.name, self.epw)
            self.put(EDGE, 19.5, self.epw, name)
            self.write_in("", TEXT, QUIET)
            self.put(EDGE, 25, self.epw, self.fitting(self.frame.about, self.epw))
        self.set_y(HEAD if self.frame.name else 21)

    def footer(self) -> None:
        """Who printed it and when, and the number of the page."""
        below = self.h - FOOT + 4
        self.rule(below - 1.5)
        self.write_in("", SMALL, QUIET)
        most = self.epw - 30
        self.put(EDGE, below, most, self.fitting(self.frame.printed, most))
        page = _("Page %(number)s of %(pages)s")
        text = page % {"number": self.page_no(), "pages": PAGES}
        self.put(EDGE + most, below, 30, text, "R")

    @property
    def bottom(self) -> float:
        """Where the text of a page ends; the last page keeps a line for saying so."""
        return self.h - FOOT - (2 * LEADING if self.full else 0)

    @property
    def full(self) -> bool:
        """Whether no page may follow."""
        return self.page_no() >= MOST_PAGES

    def room(self, height: float) -> bool:
        """Make room for this height, on a new page if need be.

        False once there is none: then nothing more is written, however small.
        """
        if self.cut_off or self.get_y() + height <= self.bottom:
            return not self.cut_off
        self.cut_off = self.full
        if not self.cut_off:
            self.add_page()
        return not self.cut_off

    def finished(self) -> bytes:
        """The file."""
        if self.cut_off:
            self.write_in("B", TEXT)
            said = _("This print ends here, after %(most)d pages.") % {
                "most": MOST_PAGES
            }
            self.put(EDGE, self.h - FOOT - LEADING, self.epw, drawable(said))
        return bytes(self.output())

    def rule(self, y: float) -> None:
        self.set_draw_color(RULE)
        self.set_line_width(0.2)
        self.line(EDGE, y, self.w - EDGE, y)

    # Lines

    def write_in(self, style: str = "", size: float = TEXT, ink: int = INK) -> None:
        """The letters of what is written next."""
        self.set_font(FAMILY, style, size)
        self.set_text_color(ink)

    def put(
        self, x: float, y: float, width: float, text: str, align: str = "L"
    ) -> None:
        """One line that is known to fit."""
        shaped = needs_shaping(text)
        if shaped:
            self.set_text_shaping(True)
        self.set_xy(x, y)
        self.cell(width, LEADING, text, align=align, new_x=XPos.LEFT, new_y=YPos.TOP)
        if shaped:
            self.set_text_shaping(False)

    def fitting(self, text: str, width: float) -> str:
        """The text in one line, shortened where it is too long."""
        text = drawable(text)
        if self.width_of(text) <= width:
            return text
        while text and self.width_of(f"{text}…") > width:
            text = text[:-1]
        return f"{text}…"

    def wrapped(self, text: str, width: float) -> list[str]:
        """The text in lines of this width; its own ends of line stay."""
        lines = []
        for part in str(text).splitlines() or [""]:
            lines += self._filled(drawable(part).split(), width)
        return lines

    def width_of(self, text: str) -> float:
        key = (self.font_style, self.font_size_pt, text)
        if key not in self._widths:
            self._widths[key] = self.get_string_width(text)
        return self._widths[key]

    def _filled(self, words: list[str], width: float) -> Iterator[str]:
        """Words in lines; one that is wider than a line is cut."""
        space, line, used = self.width_of(" "), "", 0.0
        for word in words:
            wide = self.width_of(word)
            if line and used + space + wide <= width:
                line, used = f"{line} {word}", used + space + wide
                continue
            if line:
                yield line
            while wide > width:
                cut = self._cut(word, width)
                yield word[:cut]
                word = word[cut:]
                wide = self.width_of(word)
            line, used = word, wide
        yield line

    def _cut(self, word: str, width: float) -> int:
        """How many characters of a word fit into a line, at least one."""
        used, count = 0.0, 0
        for character in word:
            used += self.width_of(character)
            if used > width:
                break
            count += 1
        return max(count, 1)
