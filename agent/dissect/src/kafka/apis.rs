//! The APIs by their keys, as of Kafka 4.2 and with those that it no longer has.

/// What a request's key and version tell before its body is read.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) name: &'static str,
    /// The newest version that is known of.
    pub(super) newest: i16,
    /// The first version with compact lengths and tagged fields (KIP-482).
    flexible: i16,
}

const NEVER: i16 = i16::MAX;

/// Its responses keep the old header: a client reads them before it knows the broker's versions (KIP-511).
pub(super) const API_VERSIONS: i16 = 18;
pub(super) const PRODUCE: i16 = 0;
pub(super) const CONTROLLED_SHUTDOWN: i16 = 7;
pub(super) const SASL_HANDSHAKE: i16 = 17;

const fn api(name: &'static str, newest: i16, flexible: i16) -> Api {
    Api { name, newest, flexible }
}

impl Api {
    pub(super) fn of(key: i16) -> Option<&'static Self> {
        usize::try_from(key).ok().and_then(|key| APIS.get(key))
    }

    pub(super) const fn is_flexible(&self, version: i16) -> bool {
        version >= self.flexible
    }
}

/// At the index of their keys.
static APIS: [Api; 93] = [
    api("Produce", 13, 9),
    api("Fetch", 18, 12),
    api("ListOffsets", 11, 6),
    api("Metadata", 13, 9),
    api("LeaderAndIsr", 7, 4),
    api("StopReplica", 4, 2),
    api("UpdateMetadata", 8, 6),
    api("ControlledShutdown", 3, 3),
    api("OffsetCommit", 10, 8),
    api("OffsetFetch", 10, 6),
    api("FindCoordinator", 6, 3),
    api("JoinGroup", 9, 6),
    api("Heartbeat", 4, 4),
    api("LeaveGroup", 5, 4),
    api("SyncGroup", 5, 4),
    api("DescribeGroups", 5, 5),
    api("ListGroups", 5, 3),
    api("SaslHandshake", 1, NEVER),
    api("ApiVersions", 4, 3),
    api("CreateTopics", 7, 5),
    api("DeleteTopics", 6, 4),
    api("DeleteRecords", 2, 2),
    api("InitProducerId", 6, 2),
    api("OffsetForLeaderEpoch", 4, 4),
    api("AddPartitionsToTxn", 5, 3),
    api("AddOffsetsToTxn", 4, 3),
    api("EndTxn", 5, 3),
    api("WriteTxnMarkers", 2, 1),
    api("TxnOffsetCommit", 4, 3),
    api("DescribeAcls", 3, 2),
    api("CreateAcls", 3, 2),
    api("DeleteAcls", 3, 2),
    api("DescribeConfigs", 4, 4),
    api("AlterConfigs", 2, 2),
    api("AlterReplicaLogDirs", 2, 2),
    api("DescribeLogDirs", 4, 2),
    api("SaslAuthenticate", 2, 2),
    api("CreatePartitions", 3, 2),
    api("CreateDelegationToken", 3, 2),
    api("RenewDelegationToken", 2, 2),
    api("ExpireDelegationToken", 2, 2),
    api("DescribeDelegationToken", 3, 2),
    api("DeleteGroups", 2, 2),
    api("ElectLeaders", 2, 2),
    api("IncrementalAlterConfigs", 1, 1),
    api("AlterPartitionReassignments", 0, 0),
    api("ListPartitionReassignments", 0, 0),
    api("OffsetDelete", 0, NEVER),
    api("DescribeClientQuotas", 1, 1),
    api("AlterClientQuotas", 1, 1),
    api("DescribeUserScramCredentials", 0, 0),
    api("AlterUserScramCredentials", 0, 0),
    api("Vote", 2, 0),
    api("BeginQuorumEpoch", 1, 1),
    api("EndQuorumEpoch", 1, 1),
    api("DescribeQuorum", 2, 0),
    api("AlterPartition", 3, 0),
    api("UpdateFeatures", 2, 0),
    api("Envelope", 0, 0),
    api("FetchSnapshot", 1, 0),
    api("DescribeCluster", 2, 0),
    api("DescribeProducers", 0, 0),
    api("BrokerRegistration", 4, 0),
    api("BrokerHeartbeat", 1, 0),
    api("UnregisterBroker", 0, 0),
    api("DescribeTransactions", 0, 0),
    api("ListTransactions", 2, 0),
    api("AllocateProducerIds", 0, 0),
    api("ConsumerGroupHeartbeat", 1, 0),
    api("ConsumerGroupDescribe", 1, 0),
    api("ControllerRegistration", 0, 0),
    api("GetTelemetrySubscriptions", 0, 0),
    api("PushTelemetry", 0, 0),
    api("AssignReplicasToDirs", 0, 0),
    api("ListConfigResources", 1, 0),
    api("DescribeTopicPartitions", 0, 0),
    api("ShareGroupHeartbeat", 1, 0),
    api("ShareGroupDescribe", 1, 0),
    api("ShareFetch", 2, 0),
    api("ShareAcknowledge", 2, 0),
    api("AddRaftVoter", 1, 0),
    api("RemoveRaftVoter", 0, 0),
    api("UpdateRaftVoter", 0, 0),
    api("InitializeShareGroupState", 0, 0),
    api("ReadShareGroupState", 0, 0),
    api("WriteShareGroupState", 0, 0),
    api("DeleteShareGroupState", 0, 0),
    api("ReadShareGroupStateSummary", 0, 0),
    api("StreamsGroupHeartbeat", 1, 0),
    api("StreamsGroupDescribe", 1, 0),
    api("DescribeShareGroupOffsets", 1, 0),
    api("AlterShareGroupOffsets", 1, 0),
    api("DeleteShareGroupOffsets", 1, 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_places_in_the_table() {
        let name = |key| Api::of(key).map(|api| api.name);
        assert_eq!(name(PRODUCE), Some("Produce"));
        assert_eq!(name(CONTROLLED_SHUTDOWN), Some("ControlledShutdown"));
        assert_eq!(name(SASL_HANDSHAKE), Some("SaslHandshake"));
        assert_eq!(name(API_VERSIONS), Some("ApiVersions"));
        assert_eq!(name(68), Some("ConsumerGroupHeartbeat"));
        assert_eq!((name(93), name(-1)), (None, None));
    }
}
