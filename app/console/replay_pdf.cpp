// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_pdf.h"

#include "core/review/report.h"
#include "widgets/theme/theme.h"

#include <QAbstractTextDocumentLayout>
#include <QFile>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgRenderer>
#include <QTextCursor>
#include <QTextDocument>
#include <QTextObjectInterface>

#include <cstdio>

namespace tealdeck {
namespace {

constexpr int PLOT_OBJECT = QTextFormat::UserObject + 1;
/// Of a page's width: QTextDocument::print() leaves 2 cm of A4 on both sides, but not yet when objects are asked for their size.
constexpr double TEXT_PART = 0.8;
constexpr int SVG_PROPERTY = QTextFormat::UserProperty + 1;

/// Draws a plot in a text as vectors.
class PlotObject final : public QObject, public QTextObjectInterface {
    Q_OBJECT
    Q_INTERFACES(QTextObjectInterface)
  public:
    using QObject::QObject;
    QSizeF intrinsicSize(QTextDocument* document, int, const QTextFormat& format) override {
        const QSvgRenderer renderer(format.property(SVG_PROPERTY).toByteArray());
        const QSizeF size = renderer.defaultSize();
        const double width = TEXT_PART * document->pageSize().width();
        return size.isEmpty() ? QSizeF() : size * (width / size.width());
    }
    void drawObject(QPainter* painter, const QRectF& rect, QTextDocument*, int, const QTextFormat& format) override {
        QSvgRenderer renderer(format.property(SVG_PROPERTY).toByteArray());
        renderer.render(painter, rect);
    }
};

/// The pictures of the print form become plots.
void placePlots(QTextDocument& text, const review::Document& document) {
    std::vector<const review::Plot*> plots;
    for (const review::Section& section : document.sections) {
        for (const review::Block& block : section.blocks) {
            if (block.kind == review::Block::Kind::Figure) {
                plots.push_back(&block.plot);
            }
        }
    }
    for (QTextCursor found = text.find(QString(QChar::ObjectReplacementCharacter)); !found.isNull();
         found = text.find(QString(QChar::ObjectReplacementCharacter), found)) {
        const QString name = found.charFormat().toImageFormat().name();
        const int number = name.startsWith(QLatin1String("plot:")) ? name.mid(5).toInt() : -1;
        if (number < 0 || static_cast<std::size_t>(number) >= plots.size()) {
            continue;
        }
        QTextCharFormat format;
        format.setObjectType(PLOT_OBJECT);
        format.setProperty(SVG_PROPERTY, QByteArray::fromStdString(plots[static_cast<std::size_t>(number)]->svg));
        const int at = found.selectionStart();
        found.insertText(QString(QChar::ObjectReplacementCharacter), format);
        found.setPosition(at + 1);
    }
}

} // namespace

Status writePdf(const review::Document& document, const QString& file) {
    QFile out(file);
    if (!out.open(QIODevice::WriteOnly | QIODevice::NewOnly, QFileDevice::ReadOwner | QFileDevice::WriteOwner)) {
        return Error{Error::Kind::Invalid,
                     "Cannot make " + file.toStdString() + ": " + out.errorString().toStdString() + ".",
                     "Give the name of a file that is not there yet, in a folder that is.",
                     {}};
    }
    QPdfWriter writer(&out);
    writer.setPageSize(QPageSize(QPageSize::A4));
    writer.setPageMargins(QMarginsF(0, 0, 0, 0), QPageLayout::Millimeter);
    writer.setTitle(safeText(document.title));
    writer.setCreator(QStringLiteral("tealdeck"));
    QTextDocument text;
    text.setDefaultFont(QFont(QStringLiteral("DejaVu Sans"), 8));
    text.setUndoRedoEnabled(false);
    PlotObject plots;
    text.documentLayout()->registerHandler(PLOT_OBJECT, &plots);
    text.setHtml(QString::fromStdString(review::toPrintHtml(document)));
    placePlots(text, document);
    text.print(&writer);
    out.flush();
    return out.error() == QFileDevice::NoError
               ? Status()
               : Status(Error{Error::Kind::Unavailable,
                              "Cannot write " + file.toStdString() + ": " + out.errorString().toStdString() + ".",
                              {},
                              {}});
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

#include "replay_pdf.moc"
