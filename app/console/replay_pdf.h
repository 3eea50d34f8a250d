// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/review/document.h"
#include "core/util/result.h"

#include <QByteArray>
#include <QString>

namespace tealdeck {

/// A report on A4 pages with their numbers, fonts embedded, plots as vectors.
QByteArray pdfOf(const review::Document& document);
/// The same into a new private file, never over an existing one.
Status writePdf(const review::Document& document, const QString& file);
/// The report of a recording; 0 when it is sound, 1 when it says that the recording is not, 2 when there is no report.
int writePdfReport(const QString& recording, const QString& file);

} // namespace tealdeck
