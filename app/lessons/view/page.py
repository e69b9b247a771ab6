"""A Markdown text with formulas, in large type: what a step says, the mathematics of a lesson, the glossary."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QPainter,
    QPainterPath,
    QPyTextObject,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFragment,
    QTextFrameFormat,
    QTextImageFormat,
    QTextTable,
)
from PySide6.QtWidgets import QTextBrowser, QWidget

from app.lessons.compute import texts
from app.lessons.compute.formulas import UNIT, Outline
from app.look import theme

LINE = 0.32  # between two lines, of the type's size
FORMULA_OBJECT = QTextFormat.ObjectTypes.UserObject.value + 1
FORMULA_NUMBER = QTextFormat.Property.UserProperty.value + 1
FORMULA_CHARACTER = "\ufffc"
GROWN = (1.3, 1.15, 1.0)  # sizes of type that a short text tries, of the one asked for
FORMULA = 1.14  # Times-like letters are smaller than the window's at the same size


class PageView(QTextBrowser):
    """Shows one text; its formulas are drawn from their outlines in the window's colour and resolution."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._formulas: list[texts.Formula] = []
        self._outlines: Sequence[Outline] = ()
        self._pixels = max(self.font().pixelSize(), 1)
        self._base = self._pixels
        self.grows = False  # short texts take larger type
        self.setFrameStyle(0)
        self.setOpenLinks(False)
        self.setReadOnly(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Text of the lesson")
        self.viewport().setAutoFillBackground(False)

    @property
    def markdown(self) -> str:
        """The text that is shown."""
        return self._text

    def set_text(self, markdown: str, outlines: Sequence[Outline] = ()) -> None:
        """Show a text. `outlines` are those of its formulas; until they are there the TeX is shown."""
        self._text, self._outlines = markdown, outlines
        self._formulas = texts.formulas(markdown)
        self._lay_out()

    def set_type(self, pixels: int) -> None:
        """Another size of type."""
        if self._base != pixels:
            self._base = pixels
            self._lay_out()

    def restyle(self) -> None:
        """Take the colours of the application's theme."""
        self._lay_out()

    @property
    def pixels(self) -> int:
        """The size of type that the text has now."""
        return self._pixels

    def _lay_out(self) -> None:
        for share in GROWN if self.grows else (1.0,):
            self._pixels = round(share * self._base)
            document = self._document()
            if document.size().height() <= self.viewport().height():
                break
        self.setDocument(document)  # deletes the one before
        self.verticalScrollBar().setValue(0)

    def _document(self) -> QTextDocument:
        """The text in the type of now."""
        ready = len(self._outlines) == len(self._formulas)
        document = QTextDocument(self)
        document.setDefaultFont(self._sized(1.0))
        document.setDocumentMargin(4)
        scale = self._pixels * FORMULA / UNIT
        drawer = _Drawer(document, self._outlines, self._formulas, scale, self._room())
        document.documentLayout().registerHandler(FORMULA_OBJECT, drawer)
        document.setMarkdown(
            texts.unbroken(texts.replaced(self._text) if ready else _plain(self._text, self._formulas))
        )
        if ready:
            _insert_formulas(document)
        self._style(document)
        document.setTextWidth(self.viewport().width())
        return document

    def _sized(self, share: float) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(round(self._pixels * share))
        return font

    def _room(self) -> float:
        return self.viewport().width() - 12

    def resizeEvent(self, event: QResizeEvent) -> None:
        wider = event.size().width() != event.oldSize().width()
        super().resizeEvent(event)
        if self.grows or (wider and self._formulas):
            self._lay_out()

    def _style(self, document: QTextDocument) -> None:
        """Space between lines and paragraphs, formulas in the middle, tables without boxes."""
        colours = theme.current()
        size = self._pixels
        block = document.begin()
        while block.isValid():
            cursor = QTextCursor(block)
            form = QTextBlockFormat(block.blockFormat())
            level = form.headingLevel()
            form.setLineHeight(LINE * size, QTextBlockFormat.LineHeightTypes.LineDistanceHeight.value)
            inside = cursor.currentTable() is not None
            form.setTopMargin(0 if inside else size * (1.1 if level and block.blockNumber() else 0.0))
            form.setBottomMargin(0 if inside else size * (0.35 if block.textList() is not None else 0.6))
            if block.length() == 2 and block.text() == FORMULA_CHARACTER:
                form.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            cursor.setBlockFormat(form)
            if level:
                cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                look = QTextCharFormat()
                font = self._sized({1: 1.35, 2: 1.15}.get(level, 1.05))
                font.setWeight(QFont.Weight.DemiBold)
                look.setFont(font)
                look.setForeground(QColor(colours.text))
                cursor.mergeCharFormat(look)
            else:
                _set_bold(block)
            block = block.next()
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                table = frame.format().toTableFormat()
                table.setBorder(0)
                table.setCellPadding(size * 0.3)
                table.setCellSpacing(0)
                table.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
                table.setHeaderRowCount(1)
                frame.setFormat(table)


def _fragments(block: QTextBlock) -> list[QTextFragment]:
    fragments = []
    iterator = block.begin()
    while not iterator.atEnd():
        fragments.append(iterator.fragment())
        iterator += 1
    return fragments


def _select(block: QTextBlock, fragment: QTextFragment) -> QTextCursor:
    cursor = QTextCursor(block)
    cursor.setPosition(fragment.position())
    cursor.setPosition(fragment.position() + fragment.length(), QTextCursor.MoveMode.KeepAnchor)
    return cursor


def _set_bold(block: QTextBlock) -> None:
    """Bold in the weight of the bundled typeface; a heavier one would be smeared from it."""
    for fragment in _fragments(block):
        if fragment.charFormat().fontWeight() > QFont.Weight.DemiBold:
            look = QTextCharFormat()
            look.setFontWeight(QFont.Weight.DemiBold)
            _select(block, fragment).mergeCharFormat(look)


def _insert_formulas(document: QTextDocument) -> None:
    """Put a formula's own object where its image stands."""
    block = document.begin()
    while block.isValid():
        for fragment in reversed(_fragments(block)):
            form = fragment.charFormat()
            name = QTextImageFormat(form.toImageFormat()).name() if form.isImageFormat() else ""
            if name.startswith("formula:"):
                look = QTextCharFormat()
                look.setObjectType(FORMULA_OBJECT)
                look.setProperty(FORMULA_NUMBER, int(name.partition(":")[2]))
                _select(block, fragment).insertText(FORMULA_CHARACTER, look)
        block = block.next()


class _Drawer(QPyTextObject):
    """Draws formulas as part of the text: their baseline is the line's, and what hangs below it takes no room of its own."""

    def __init__(
        self,
        document: QTextDocument,
        outlines: Sequence[Outline],
        formulas: Sequence[texts.Formula],
        scale: float,
        room: float,
    ) -> None:
        """The formulas of one document, which it lives as long as; pixels a unit, and the width that there is for one."""
        super().__init__(document)
        self._outlines, self._formulas, self._wanted, self._room = outlines, formulas, scale, room
        self._paths: dict[int, QPainterPath] = {}

    def _scale(self, outline: Outline) -> float:
        wide = outline.width * self._wanted
        return self._wanted * self._room / wide if wide > self._room > 0 else self._wanted  # shrunk rather than cut

    def intrinsicSize(self, document: QTextDocument, position: int, form: QTextFormat) -> QSizeF:
        number = int(form.property(FORMULA_NUMBER))
        outline = self._outlines[number]
        scale = self._scale(outline)
        below = outline.descent if self._formulas[number].display else 0.0
        return QSizeF(outline.width * scale, (outline.ascent + below) * scale)

    def drawObject(
        self, painter: QPainter, area: QRectF | QRect, document: QTextDocument, position: int, form: QTextFormat
    ) -> None:
        number = int(form.property(FORMULA_NUMBER))
        outline = self._outlines[number]
        scale = self._scale(outline)
        if number not in self._paths:
            self._paths[number] = _path(outline)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(area.left(), area.top() + outline.ascent * scale)
        painter.scale(scale, scale)
        painter.fillPath(self._paths[number], QColor(theme.current().text))
        painter.restore()


def _path(outline: Outline) -> QPainterPath:
    """A formula's outline for a painter."""
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    points, codes = outline.points.tolist(), outline.codes.tolist()
    at = 0
    while at < len(codes):
        code = codes[at]
        if code == 1:
            path.moveTo(*points[at])
        elif code == 2:
            path.lineTo(*points[at])
        elif code == 3:
            path.quadTo(*points[at], *points[at + 1])
            at += 1
        elif code == 4:
            path.cubicTo(*points[at], *points[at + 1], *points[at + 2])
            at += 2
        else:
            path.closeSubpath()
        at += 1
    return path


def _plain(text: str, formulas: Sequence[texts.Formula]) -> str:
    """The text with formulas as code, for as long as they are not drawn."""
    count = iter(formulas)
    return texts.FORMULA.sub(lambda match: f"`{next(count).tex.replace(chr(96), '')}`", text)
