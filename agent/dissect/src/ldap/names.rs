//! Names of operations, results and object identifiers.

/// Identifier octets of `protocolOp` (RFC 4511, section 4.2 on).
pub(super) mod op {
    pub(crate) const BIND_REQUEST: u8 = 0x60;
    pub(crate) const BIND_RESPONSE: u8 = 0x61;
    pub(crate) const UNBIND_REQUEST: u8 = 0x42;
    pub(crate) const SEARCH_REQUEST: u8 = 0x63;
    pub(crate) const SEARCH_ENTRY: u8 = 0x64;
    pub(crate) const SEARCH_DONE: u8 = 0x65;
    pub(crate) const MODIFY_REQUEST: u8 = 0x66;
    pub(crate) const MODIFY_RESPONSE: u8 = 0x67;
    pub(crate) const ADD_REQUEST: u8 = 0x68;
    pub(crate) const ADD_RESPONSE: u8 = 0x69;
    pub(crate) const DEL_REQUEST: u8 = 0x4a;
    pub(crate) const DEL_RESPONSE: u8 = 0x6b;
    pub(crate) const MODIFY_DN_REQUEST: u8 = 0x6c;
    pub(crate) const MODIFY_DN_RESPONSE: u8 = 0x6d;
    pub(crate) const COMPARE_REQUEST: u8 = 0x6e;
    pub(crate) const COMPARE_RESPONSE: u8 = 0x6f;
    pub(crate) const ABANDON_REQUEST: u8 = 0x50;
    pub(crate) const SEARCH_REFERENCE: u8 = 0x73;
    pub(crate) const EXTENDED_REQUEST: u8 = 0x77;
    pub(crate) const EXTENDED_RESPONSE: u8 = 0x78;
    pub(crate) const INTERMEDIATE_RESPONSE: u8 = 0x79;
}

pub(super) const SCOPES: [&str; 4] = ["baseObject", "singleLevel", "wholeSubtree", "subordinateSubtree"];
pub(super) const DEREFS: [&str; 4] =
    ["neverDerefAliases", "derefInSearching", "derefFindingBaseObj", "derefAlways"];

pub(super) const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
pub(super) const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";
pub(super) const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

/// Who sends an operation, and its name: all messages of a search's answer together are its response. `None` for what is
/// no operation.
pub(super) const fn operation(tag: u8) -> Option<(bool, &'static str)> {
    Some(match tag {
        op::BIND_REQUEST => (true, "Bind Request"),
        op::BIND_RESPONSE => (false, "Bind Response"),
        op::UNBIND_REQUEST => (true, "Unbind Request"),
        op::SEARCH_REQUEST => (true, "Search Request"),
        op::SEARCH_ENTRY | op::SEARCH_REFERENCE | op::SEARCH_DONE => (false, "Search Response"),
        op::MODIFY_REQUEST => (true, "Modify Request"),
        op::MODIFY_RESPONSE => (false, "Modify Response"),
        op::ADD_REQUEST => (true, "Add Request"),
        op::ADD_RESPONSE => (false, "Add Response"),
        op::DEL_REQUEST => (true, "Del Request"),
        op::DEL_RESPONSE => (false, "Del Response"),
        op::MODIFY_DN_REQUEST => (true, "Modify DN Request"),
        op::MODIFY_DN_RESPONSE => (false, "Modify DN Response"),
        op::COMPARE_REQUEST => (true, "Compare Request"),
        op::COMPARE_RESPONSE => (false, "Compare Response"),
        op::ABANDON_REQUEST => (true, "Abandon Request"),
        op::EXTENDED_REQUEST => (true, "Extended Request"),
        op::EXTENDED_RESPONSE => (false, "Extended Response"),
        op::INTERMEDIATE_RESPONSE => (false, "Intermediate Response"),
        _ => return None,
    })
}

/// RFC 4511, section 4.1.9, and the registry of LDAP parameters for what came later.
pub(super) const fn result(code: i64) -> Option<&'static str> {
    Some(match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        5 => "compareFalse",
        6 => "compareTrue",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        14 => "saslBindInProgress",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        18 => "inappropriateMatching",
        19 => "constraintViolation",
        20 => "attributeOrValueExists",
        21 => "invalidAttributeSyntax",
        32 => "noSuchObject",
        33 => "aliasProblem",
        34 => "invalidDNSyntax",
        35 => "isLeaf",
        36 => "aliasDereferencingProblem",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        60 => "sortControlMissing",
        61 => "offsetRangeError",
        64 => "namingViolation",
        65 => "objectClassViolation",
        66 => "notAllowedOnNonLeaf",
        67 => "notAllowedOnRDN",
        68 => "entryAlreadyExists",
        69 => "objectClassModsProhibited",
        70 => "resultsTooLarge",
        71 => "affectsMultipleDSAs",
        76 => "virtualListViewError",
        80 => "other",
        113 => "lcupResourcesExhausted",
        114 => "lcupSecurityViolation",
        115 => "lcupInvalidData",
        116 => "lcupUnsupportedScheme",
        117 => "lcupReloadRequired",
        118 => "canceled",
        119 => "noSuchOperation",
        120 => "tooLate",
        121 => "cannotCancel",
        122 => "assertionFailed",
        123 => "authorizationDenied",
        4096 => "e-syncRefreshRequired",
        _ => return None,
    })
}

/// Whether a result says that the operation did what it was asked: `compareFalse` and `compareTrue` are answers, `referral`
/// and `saslBindInProgress` steps on the way (RFC 4511, appendix A.1).
pub(super) const fn is_success(code: i64) -> bool {
    matches!(code, 0 | 5 | 6 | 10 | 14)
}

/// Extended operations, controls, intermediate responses and notices.
pub(super) fn oid(oid: &str) -> Option<&'static str> {
    Some(match oid {
        START_TLS => "StartTLS",
        PASSWORD_MODIFY => "Password Modify",
        PAGED_RESULTS => "Paged Results",
        "1.3.6.1.4.1.1466.20036" => "Notice of Disconnection",
        "1.3.6.1.4.1.4203.1.11.3" => "Who am I?",
        "1.3.6.1.1.8" => "Cancel",
        "1.3.6.1.1.21.1" => "Start Transaction",
        "1.3.6.1.1.21.2" => "Transaction Specification",
        "1.3.6.1.1.21.3" => "End Transaction",
        "1.3.6.1.1.21.4" => "Aborted Transaction",
        "1.3.6.1.1.12" => "Assertion",
        "1.3.6.1.1.13.1" => "Pre-Read",
        "1.3.6.1.1.13.2" => "Post-Read",
        "1.3.6.1.1.17.3" => "Who am I? (Turn)",
        "1.3.6.1.1.19" => "Turn",
        "1.3.6.1.1.22" => "Don't Use Copy",
        "1.3.6.1.4.1.1466.101.119.1" => "Dynamic Refresh",
        "1.3.6.1.4.1.4203.1.9.1.1" => "Sync Request",
        "1.3.6.1.4.1.4203.1.9.1.2" => "Sync State",
        "1.3.6.1.4.1.4203.1.9.1.3" => "Sync Done",
        "1.3.6.1.4.1.4203.1.9.1.4" => "Sync Info",
        "1.3.6.1.4.1.4203.1.10.1" => "Subentries",
        "1.3.6.1.4.1.4203.1.10.2" => "No-Op",
        "1.3.6.1.4.1.4203.666.5.12" => "Relax Rules",
        "1.3.6.1.4.1.42.2.27.8.5.1" => "Password Policy",
        "1.3.6.1.4.1.42.2.27.9.5.8" => "Account Usability",
        "1.3.6.1.4.1.1466.29539.12" => "Chaining Behavior",
        "2.16.840.1.113730.3.4.2" => "Manage DSA IT",
        "2.16.840.1.113730.3.4.3" => "Persistent Search",
        "2.16.840.1.113730.3.4.4" => "Password Expired",
        "2.16.840.1.113730.3.4.5" => "Password Expiring",
        "2.16.840.1.113730.3.4.7" => "Entry Change Notification",
        "2.16.840.1.113730.3.4.9" => "Virtual List View Request",
        "2.16.840.1.113730.3.4.10" => "Virtual List View Response",
        "2.16.840.1.113730.3.4.12" => "Proxied Authorization v1",
        "2.16.840.1.113730.3.4.15" => "Authorization Identity Response",
        "2.16.840.1.113730.3.4.16" => "Authorization Identity Request",
        "2.16.840.1.113730.3.4.18" => "Proxied Authorization",
        "1.2.826.0.1.3344810.2.3" => "Matched Values",
        "1.2.840.113556.1.4.473" => "Sort Request",
        "1.2.840.113556.1.4.474" => "Sort Response",
        "1.2.840.113556.1.4.417" => "Show Deleted",
        "1.2.840.113556.1.4.528" => "Notification",
        "1.2.840.113556.1.4.529" => "Extended DN",
        "1.2.840.113556.1.4.619" => "Lazy Commit",
        "1.2.840.113556.1.4.801" => "Security Descriptor Flags",
        "1.2.840.113556.1.4.802" => "Range Option",
        "1.2.840.113556.1.4.805" => "Tree Delete",
        "1.2.840.113556.1.4.841" => "Directory Synchronization",
        "1.2.840.113556.1.4.970" => "Get Stats",
        "1.2.840.113556.1.4.1338" => "Verify Name",
        "1.2.840.113556.1.4.1339" => "Domain Scope",
        "1.2.840.113556.1.4.1340" => "Search Options",
        "1.2.840.113556.1.4.1341" => "RODC DCPROMO",
        "1.2.840.113556.1.4.1413" => "Permissive Modify",
        "1.2.840.113556.1.4.1504" => "Attribute Scoped Query",
        "1.2.840.113556.1.4.1781" => "Fast Concurrent Bind",
        "1.2.840.113556.1.4.1852" => "User Quota",
        "1.2.840.113556.1.4.2064" => "Show Recycled",
        "1.2.840.113556.1.4.2065" => "Show Deactivated Link",
        _ => return None,
    })
}

/// Attributes whose values are secrets. Options of the attribute (`;binary`) do not count.
pub(super) fn is_secret(attribute: &[u8]) -> bool {
    const SECRETS: [&[u8]; 9] = [
        b"userPassword",
        b"unicodePwd",
        b"authPassword",
        b"sambaNTPassword",
        b"sambaLMPassword",
        b"krbPrincipalKey",
        b"olcRootPW",
        b"ms-Mcs-AdmPwd",
        b"supplementalCredentials",
    ];
    let name = attribute.split(|byte| *byte == b';').next().unwrap_or_default();
    SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}
