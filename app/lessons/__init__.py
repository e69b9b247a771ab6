"""Lessons: what one moves and sees, from two Gaussian values to whole videos. One file a lesson under models/, its text
under assets/lessons.

`scene` and `lesson` are the vocabulary, `texts` and `formulas` read the Markdown, `models` compute: none of these knows Qt.
`view` is the window that draws whatever a model hands it, and never computes.
"""
