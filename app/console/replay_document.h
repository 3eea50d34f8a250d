// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/review/document.h"

class QTextDocument;

namespace tealdeck {

/// Fills a text with a report: its words, and its plots as vectors that take the part of the page's width that words do. The handler that
/// draws them belongs to the text. `part`: what of the page's width is free for a plot.
void fillText(QTextDocument& text, const review::Document& document, double part);

} // namespace tealdeck
