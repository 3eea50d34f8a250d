// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <QStringList>

#include <optional>
#include <vector>

namespace tealdeck {

/// What the wizard asks for, until it is a plan. Connections are references (passfile, certificates), never a password.
struct PlanDraft {
    struct Replica {
        QString name;
        QString host;
        int port = 0;
        QString zone;
    };
    struct Server {
        QString host;
        int port = 5432;
        QString user = QStringLiteral("tealdeck");
        QString database = QStringLiteral("postgres");
        QString passfile;
        QString sslmode = QStringLiteral("verify-full");
        QString sslrootcert;
        QString zone;
        std::vector<Replica> replicas; ///< role, passfile and TLS as for the primary
    };
    struct Pooler {
        QString host;
        int port = 6432;
        QString user = QStringLiteral("pgbouncer");
        QString passfile;
        QString databasesFile;
    };
    struct Balancer {
        QString socket;
        QString backend;
        QStringList blueServers;
        QStringList greenServers;
    };
    QString name;
    QString engineFolder = QStringLiteral("engine"); ///< relative: beside the plan
    QStringList databases;
    Server blue;
    Server green;
    QString replicationUser = QStringLiteral("tealdeck_repl");
    QString replicationPassfile; ///< a path on the server hosts
    QString replicationRootcert; ///< a path on the server hosts
    std::optional<Pooler> pooler;
    std::optional<Balancer> balancer;
    int budgetMs = 2000;
    double holdSeconds = 60;
    double maxLagSeconds = 1;
    double windowHours = 24;
};

/// The draft as the text of a plan file; what is empty is left out, so that reading it names what is missing.
QString planText(const PlanDraft& draft);

/// What reading a text as a plan says: empty when it is one. The line is 1-based; 0: none.
struct PlanProblem {
    QString text;
    int line = 0;
    [[nodiscard]] bool ok() const { return text.isEmpty(); }
};
PlanProblem checkPlanText(const QString& text, const QString& file);

} // namespace tealdeck
