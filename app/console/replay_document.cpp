// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_document.h"

#include <QAbstractTextDocumentLayout>
#include <QPainter>
#include <QSvgRenderer>
#include <QTextCursor>
#include <QTextDocument>
#include <QTextObjectInterface>

namespace tealdeck {
namespace {

constexpr int PLOT_OBJECT = QTextFormat::UserObject + 1;
constexpr int SVG_PROPERTY = QTextFormat::UserProperty + 1;

/// Draws a plot in a text as vectors.
class PlotObject final : public QObject, public QTextObjectInterface {
    Q_OBJECT
    Q_INTERFACES(QTextObjectInterface)
  public:
    PlotObject(double part, QObject* parent) : QObject(parent), m_part(part) {}
    QSizeF intrinsicSize(QTextDocument* document, int, const QTextFormat& format) override {
        const QSvgRenderer renderer(format.property(SVG_PROPERTY).toByteArray());
        const QSizeF size = renderer.defaultSize();
        const double page = document->pageSize().width(); // not known before the text is laid out
        return size.isEmpty() || page <= 0 ? size : size * (m_part * page / size.width());
    }
    void drawObject(QPainter* painter, const QRectF& rect, QTextDocument*, int, const QTextFormat& format) override {
        QSvgRenderer renderer(format.property(SVG_PROPERTY).toByteArray());
        renderer.render(painter, rect);
    }

  private:
    double m_part;
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

void fillText(QTextDocument& text, const review::Document& document, double part) {
    text.setUndoRedoEnabled(false);
    if (text.documentLayout()->handlerForObject(PLOT_OBJECT) == nullptr) {
        text.documentLayout()->registerHandler(PLOT_OBJECT, new PlotObject(part, &text));
    }
    text.setHtml(QString::fromStdString(review::toPrintHtml(document)));
    placePlots(text, document);
}

} // namespace tealdeck

#include "replay_document.moc"
