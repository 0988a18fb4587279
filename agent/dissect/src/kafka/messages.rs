//! The bodies of the APIs that are decoded, field by field, with the versions that have them: Kafka 4.2, and back to 0.8.
//!
//! Facts from the message definitions in Kafka's source (`clients/src/main/resources/common/message`). Names are those of
//! the item's JSON.

use super::field::Type::{
    Acks, Bool, Counted, ErrorCode, Group, Int8, Int16, Int32, Int32s, Int64, Int64s, List, Records, Text,
    Texts, Uuid,
};
use super::field::{Field, field};

/// The bodies of an API.
pub(super) struct Layout {
    pub(super) request: &'static [Field],
    pub(super) response: &'static [Field],
    /// The newest version these fields are right for.
    pub(super) newest: i16,
}

impl Layout {
    pub(super) fn of(key: i16, version: i16) -> Option<&'static Self> {
        let layout = match key {
            0 => &PRODUCE,
            1 => &FETCH,
            2 => &LIST_OFFSETS,
            3 => &METADATA,
            18 => &API_VERSIONS,
            19 => &CREATE_TOPICS,
            20 => &DELETE_TOPICS,
            _ => return None,
        };
        (version <= layout.newest).then_some(layout)
    }
}

const LEADER: Field = field("currentLeader", Group(&[field("leaderId", Int32), field("leaderEpoch", Int32)]));

const ENDPOINTS: Field = field(
    "nodeEndpoints",
    List(&[
        field("nodeId", Int32),
        field("host", Text),
        field("port", Int32),
        field("rack", Text).nullable(0),
    ]),
);

static PRODUCE: Layout = Layout {
    request: &[
        field("transactionalID", Text).since(3).nullable(3),
        field("requiredAcks", Acks),
        field("timeout", Int32),
        field(
            "topicData",
            List(&[
                field("topic", Text).until(12),
                field("topicID", Uuid).since(13),
                field(
                    "partitions",
                    Counted("partitionData", &[field("index", Int32), field("records", Records).nullable(0)]),
                ),
            ]),
        )
        .topics(),
    ],
    response: &[
        field(
            "responses",
            List(&[
                field("name", Text).until(12),
                field("topicID", Uuid).since(13),
                field(
                    "partitionResponses",
                    List(&[
                        field("index", Int32),
                        field("errorCode", ErrorCode),
                        field("baseOffset", Int64),
                        field("logAppendTimeMs", Int64).since(2),
                        field("logStartOffset", Int64).since(5),
                        field(
                            "recordErrors",
                            List(&[
                                field("batchIndex", Int32),
                                field("batchIndexErrorMessage", Text).nullable(8),
                            ]),
                        )
                        .since(8),
                        field("errorMessage", Text).since(8).nullable(8),
                        LEADER.since(10).tag(0),
                    ]),
                ),
            ]),
        ),
        field("throttleTimeMs", Int32).since(1),
        ENDPOINTS.since(10).tag(0),
    ],
    newest: 13,
};

static FETCH: Layout = Layout {
    request: &[
        field("clusterID", Text).since(12).nullable(12).tag(0),
        field("replicaId", Int32).until(14),
        field("replicaState", Group(&[field("replicaId", Int32), field("replicaEpoch", Int64)]))
            .since(15)
            .tag(1),
        field("maxWaitMs", Int32),
        field("minBytes", Int32),
        field("maxBytes", Int32).since(3),
        field("isolationLevel", Int8).since(4),
        field("sessionId", Int32).since(7),
        field("sessionEpoch", Int32).since(7),
        field(
            "topics",
            List(&[
                field("topic", Text).until(12),
                field("topicID", Uuid).since(13),
                field(
                    "partitions",
                    List(&[
                        field("partition", Int32),
                        field("currentLeaderEpoch", Int32).since(9),
                        field("fetchOffset", Int64),
                        field("lastFetchedEpoch", Int32).since(12),
                        field("logStartOffset", Int64).since(5),
                        field("partitionMaxBytes", Int32),
                        field("replicaDirectoryID", Uuid).since(17).tag(0),
                        field("highWatermark", Int64).since(18).tag(1),
                    ]),
                ),
            ]),
        )
        .topics(),
        field(
            "forgottenTopicsData",
            List(&[
                field("topic", Text).until(12),
                field("topicID", Uuid).since(13),
                field("partitions", Int32s),
            ]),
        )
        .since(7),
        field("rackId", Text).since(11),
    ],
    response: &[
        field("throttleTimeMs", Int32).since(1),
        field("errorCode", ErrorCode).since(7),
        field("sessionId", Int32).since(7),
        field(
            "responses",
            List(&[
                field("topic", Text).until(12),
                field("topicID", Uuid).since(13),
                field(
                    "partitionResponses",
                    List(&[
                        field("partition", Int32),
                        field("errorCode", ErrorCode),
                        field("highWatermark", Int64),
                        field("lastStableOffset", Int64).since(4),
                        field("logStartOffset", Int64).since(5),
                        field("divergingEpoch", Group(&[field("epoch", Int32), field("endOffset", Int64)]))
                            .since(12)
                            .tag(0),
                        LEADER.since(12).tag(1),
                        field("snapshotID", Group(&[field("endOffset", Int64), field("epoch", Int32)]))
                            .since(12)
                            .tag(2),
                        field(
                            "abortedTransactions",
                            List(&[field("producerId", Int64), field("firstOffset", Int64)]),
                        )
                        .since(4)
                        .nullable(4),
                        field("preferredReadReplica", Int32).since(11),
                        field("recordSet", Records).nullable(0),
                    ]),
                ),
            ]),
        )
        .topics(),
        ENDPOINTS.since(16).tag(0),
    ],
    newest: 18,
};

static LIST_OFFSETS: Layout = Layout {
    request: &[
        field("replicaId", Int32),
        field("isolationLevel", Int8).since(2),
        field(
            "topics",
            List(&[
                field("name", Text),
                field(
                    "partitions",
                    List(&[
                        field("partitionIndex", Int32),
                        field("currentLeaderEpoch", Int32).since(4),
                        field("timestamp", Int64),
                        field("maxNumOffsets", Int32).until(0),
                    ]),
                ),
            ]),
        )
        .topics(),
        field("timeoutMs", Int32).since(10),
    ],
    response: &[
        field("throttleTimeMs", Int32).since(2),
        field(
            "topics",
            List(&[
                field("name", Text),
                field(
                    "partitions",
                    List(&[
                        field("partitionIndex", Int32),
                        field("errorCode", ErrorCode),
                        field("oldStyleOffsets", Int64s).until(0),
                        field("timestamp", Int64).since(1),
                        field("offset", Int64).since(1),
                        field("leaderEpoch", Int32).since(4),
                    ]),
                ),
            ]),
        ),
    ],
    newest: 11,
};

static METADATA: Layout = Layout {
    request: &[
        field("topics", List(&[field("uuid", Uuid).since(10), field("name", Text).nullable(10)]))
            .topics()
            .nullable(1),
        field("allowAutoTopicCreation", Bool).since(4),
        field("includeClusterAuthorizedOperations", Bool).since(8).until(10),
        field("includeTopicAuthorizedOperations", Bool).since(8),
    ],
    response: &[
        field("throttleTimeMs", Int32).since(3),
        field(
            "brokers",
            List(&[
                field("nodeId", Int32),
                field("host", Text),
                field("port", Int32),
                field("rack", Text).since(1).nullable(1),
            ]),
        ),
        field("clusterID", Text).since(2).nullable(2),
        field("controllerID", Int32).since(1),
        field(
            "topics",
            List(&[
                field("errorCode", ErrorCode),
                field("name", Text).nullable(10),
                field("topicID", Uuid).since(10),
                field("isInternal", Bool).since(1),
                field(
                    "partitions",
                    List(&[
                        field("errorCode", ErrorCode),
                        field("partitionIndex", Int32),
                        field("leaderId", Int32),
                        field("leaderEpoch", Int32).since(7),
                        field("replicaNodes", Int32s),
                        field("isrNodes", Int32s),
                        field("offlineReplicas", Int32s).since(5),
                    ]),
                ),
                field("topicAuthorizedOperations", Int32).since(8),
            ]),
        ),
        field("clusterAuthorizedOperations", Int32).since(8).until(10),
        field("errorCode", ErrorCode).since(13),
    ],
    newest: 13,
};

static API_VERSIONS: Layout = Layout {
    request: &[field("clientSoftwareName", Text).since(3), field("clientSoftwareVersion", Text).since(3)],
    response: &[
        field("errorCode", ErrorCode),
        field(
            "apiKeys",
            List(&[field("apiKey", Int16), field("minVersion", Int16), field("maxVersion", Int16)]),
        ),
        field("throttleTimeMs", Int32).since(1),
        field(
            "supportedFeatures",
            List(&[field("name", Text), field("minVersion", Int16), field("maxVersion", Int16)]),
        )
        .since(3)
        .tag(0),
        field("finalizedFeaturesEpoch", Int64).since(3).tag(1),
        field(
            "finalizedFeatures",
            List(&[field("name", Text), field("maxVersionLevel", Int16), field("minVersionLevel", Int16)]),
        )
        .since(3)
        .tag(2),
        field("zkMigrationReady", Bool).since(3).tag(3),
    ],
    newest: 4,
};

static CREATE_TOPICS: Layout = Layout {
    request: &[
        field(
            "topics",
            List(&[
                field("name", Text),
                field("numPartitions", Int32),
                field("replicationFactor", Int16),
                field("assignments", List(&[field("partitionIndex", Int32), field("brokerIds", Int32s)])),
                field("configs", List(&[field("name", Text), field("value", Text).nullable(0)])),
            ]),
        )
        .topics(),
        field("timeoutMs", Int32),
        field("validateOnly", Bool).since(1),
    ],
    response: &[
        field("throttleTimeMs", Int32).since(2),
        field(
            "topics",
            List(&[
                field("name", Text),
                field("topicID", Uuid).since(7),
                field("errorCode", ErrorCode),
                field("errorMessage", Text).since(1).nullable(0),
                field("topicConfigErrorCode", Int16).since(5).tag(0),
                field("numPartitions", Int32).since(5),
                field("replicationFactor", Int16).since(5),
                field(
                    "configs",
                    List(&[
                        field("name", Text),
                        field("value", Text).nullable(5),
                        field("readOnly", Bool),
                        field("configSource", Int8),
                        field("isSensitive", Bool),
                    ]),
                )
                .since(5)
                .nullable(5),
            ]),
        ),
    ],
    newest: 7,
};

static DELETE_TOPICS: Layout = Layout {
    request: &[
        field("topics", List(&[field("name", Text).nullable(6), field("uuid", Uuid)])).topics().since(6),
        field("topicNames", Texts).topics().until(5),
        field("timeoutMs", Int32),
    ],
    response: &[
        field("throttleTimeMs", Int32).since(1),
        field(
            "responses",
            List(&[
                field("name", Text).nullable(6),
                field("topicID", Uuid).since(6),
                field("errorCode", ErrorCode),
                field("errorMessage", Text).since(5).nullable(5),
            ]),
        ),
    ],
    newest: 6,
};
