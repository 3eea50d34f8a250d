// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_pdf.h"

#include "app/console/replay_document.h"
#include "core/review/report.h"
#include "widgets/theme/theme.h"

#include <QBuffer>
#include <QFile>
#include <QPdfWriter>
#include <QTextDocument>

#include <cstdio>

namespace tealdeck {
namespace {

/// Of a page's width: QTextDocument::print() leaves 2 cm of A4 on both sides, but not yet when plots are asked for their size.
constexpr double TEXT_PART = 0.8;

} // namespace

QByteArray pdfOf(const review::Document& document) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setPageSize(QPageSize(QPageSize::A4));
    writer.setPageMargins(QMarginsF(0, 0, 0, 0), QPageLayout::Millimeter);
    writer.setTitle(safeText(document.title));
    writer.setCreator(QStringLiteral("tealdeck"));
    QTextDocument text;
    text.setDefaultFont(QFont(QStringLiteral("DejaVu Sans"), 8));
    fillText(text, document, TEXT_PART);
    text.print(&writer);
    return bytes;
}

Status writePdf(const review::Document& document, const QString& file) {
    QFile out(file);
    if (!out.open(QIODevice::WriteOnly | QIODevice::NewOnly, QFileDevice::ReadOwner | QFileDevice::WriteOwner)) {
        return Error{Error::Kind::Invalid,
                     "Cannot make " + file.toStdString() + ": " + out.errorString().toStdString() + ".",
                     "Give the name of a file that is not there yet, in a folder that is.",
                     {}};
    }
    const QByteArray bytes = pdfOf(document);
    if (out.write(bytes) == bytes.size() && out.flush()) {
        return {};
    }
    const std::string reason = out.errorString().toStdString();
    out.remove(); // half a report looks like a whole one
    return Error{Error::Kind::Unavailable, "Cannot write " + file.toStdString() + ": " + reason + ".", {}, {}};
}

int writePdfReport(const QString& recording, const QString& file) {
    const Result<review::ReportData> data = review::gatherReport({recording.toStdString(), {}, {}});
    const Status written = data ? writePdf(review::makeReport(*data), file) : Status(data.error());
    if (!written) {
        std::fprintf(stderr, "%s\n", qPrintable(safeText(written.error().text())));
        return 2;
    }
    return data->integrity.good() ? 0 : 1;
}

} // namespace tealdeck
