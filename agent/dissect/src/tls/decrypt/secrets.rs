//! Secrets of TLS sessions, out of key logs in NSS's format (draft-ietf-tls-keylogfile).

use std::collections::HashMap;
use std::fmt;

/// Secrets by the random value of the ClientHello. Neither items nor logs show them.
#[derive(Clone, Default)]
pub struct Secrets {
    sessions: HashMap<[u8; 32], Session>,
}

/// What is known of one session.
#[derive(Clone, Default)]
pub(super) struct Session {
    /// Up to TLS 1.2.
    pub(super) master: Option<Secret>,
    pub(super) early: Option<Secret>,
    /// Of each direction.
    pub(super) handshake: [Option<Secret>; 2],
    pub(super) traffic: [Option<Secret>; 2],
}

/// A secret of TLS 1.3, as long as its hash, or a master secret.
#[derive(Clone, Copy)]
pub(super) struct Secret {
    bytes: [u8; Self::MAX],
    length: u8,
}

/// Why a key log is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct KeyLogError {
    /// From 1.
    pub line: usize,
    pub what: KeyLogFault,
}

/// What is wrong with a line. Says nothing of what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyLogFault {
    #[error("not of the form LABEL RANDOM SECRET")]
    Form,
    #[error("the client's random value is not 64 hexadecimal digits")]
    Random,
    #[error("a master secret is 96 hexadecimal digits")]
    Master,
    #[error("a secret of TLS 1.3 is 64 or 96 hexadecimal digits")]
    Secret,
    #[error("there are more sessions than dissect.tlsSessions allows")]
    TooMany,
}

impl Secret {
    const MAX: usize = 48;

    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self { bytes: [0; Self::MAX], length: u8::try_from(bytes.len()).ok()? };
        secret.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(secret)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Out of digits whose number is one of `lengths`, doubled.
    fn read(digits: &[u8], lengths: &[usize]) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        let length = lengths.iter().copied().find(|length| digits.len() == 2 * length)?;
        let secret = bytes.get_mut(..length)?;
        unhex(digits, secret)?;
        Self::new(secret)
    }
}

impl Secrets {
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Sessions known.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn of(&self, client_random: &[u8; 32]) -> Option<&Session> {
        self.sessions.get(client_random)
    }

    /// Adds what each line says; `fault` hears of lines that say nothing. Lines with labels that are of no use here are
    /// passed over, as are comments. No more than `cap` sessions are kept.
    pub fn read(&mut self, text: &[u8], cap: usize, mut fault: impl FnMut(KeyLogError)) {
        for (line, text) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            if let Err(what) = self.line(text.trim_ascii(), cap) {
                fault(KeyLogError { line, what });
            }
        }
    }

    fn line(&mut self, line: &[u8], cap: usize) -> Result<(), KeyLogFault> {
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let mut fields = line.split(|byte| *byte == b' ');
        let (Some(label), Some(random), Some(digits), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(KeyLogFault::Form);
        };
        let is_label = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
        if label.is_empty() || !label.iter().all(is_label) {
            return Err(KeyLogFault::Form);
        }
        let place: fn(&mut Session) -> &mut Option<Secret> = match label {
            b"CLIENT_RANDOM" => |session| &mut session.master,
            b"CLIENT_EARLY_TRAFFIC_SECRET" => |session| &mut session.early,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => |session| &mut session.handshake[0],
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => |session| &mut session.handshake[1],
            b"CLIENT_TRAFFIC_SECRET_0" => |session| &mut session.traffic[0],
            b"SERVER_TRAFFIC_SECRET_0" => |session| &mut session.traffic[1],
            _ => return Ok(()),
        };
        let mut client_random = [0; 32];
        unhex(random, &mut client_random).ok_or(KeyLogFault::Random)?;
        let secret = if label == b"CLIENT_RANDOM" {
            Secret::read(digits, &[48]).ok_or(KeyLogFault::Master)?
        } else {
            Secret::read(digits, &[32, 48]).ok_or(KeyLogFault::Secret)?
        };
        if self.sessions.len() >= cap && !self.sessions.contains_key(&client_random) {
            return Err(KeyLogFault::TooMany);
        }
        *place(self.sessions.entry(client_random).or_default()) = Some(secret);
        Ok(())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("sessions", &self.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

fn unhex(digits: &[u8], out: &mut [u8]) -> Option<()> {
    if digits.len() != 2 * out.len() {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    for (byte, [high, low]) in out.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = u8::try_from(value(*high)? << 4 | value(*low)?).ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> (Secrets, Vec<KeyLogError>) {
        let (mut secrets, mut faults) = (Secrets::default(), Vec::new());
        secrets.read(text.as_bytes(), 2, |fault| faults.push(fault));
        (secrets, faults)
    }

    #[test]
    fn a_key_log_is_read_line_by_line() {
        let random = "0a".repeat(32);
        let (master, secret) = ("b1".repeat(48), "C2".repeat(32));
        let (secrets, wrong) = faults(&format!(
            "# comment\r\n\nCLIENT_RANDOM {random} {master}\r\nSERVER_TRAFFIC_SECRET_0 {random} {secret}\n\
             EXPORTER_SECRET {random} 00\nRSA 0011 22"
        ));
        assert_eq!((wrong, secrets.len()), (vec![], 1));
        let session = secrets.of(&[10; 32]).unwrap();
        assert_eq!(session.master.unwrap().bytes(), [0xb1; 48]);
        assert_eq!(session.traffic[1].unwrap().bytes(), [0xc2; 32]);
        assert!(session.traffic[0].is_none());
    }

    #[test]
    fn lines_that_say_nothing_are_told() {
        let random = "0a".repeat(32);
        for (line, what) in [
            ("-----BEGIN PRIVATE KEY-----".to_owned(), KeyLogFault::Form),
            (format!("CLIENT_RANDOM {random}"), KeyLogFault::Form),
            (format!("CLIENT_RANDOM {random} {random} {random}"), KeyLogFault::Form),
            (format!("CLIENT_RANDOM  {random} {random}"), KeyLogFault::Form),
            (format!("CLIENT_RANDOM {random}0 {random}"), KeyLogFault::Random),
            (format!("CLIENT_RANDOM {random} {random}"), KeyLogFault::Master),
            (format!("CLIENT_RANDOM {random} {}", "x1".repeat(48)), KeyLogFault::Master),
            (format!("SERVER_TRAFFIC_SECRET_0 {random} 00"), KeyLogFault::Secret),
        ] {
            assert_eq!(faults(&format!("\n{line}")).1, [KeyLogError { line: 2, what }], "{line}");
        }
    }

    #[test]
    fn sessions_are_capped() {
        let line = |number: u8| {
            format!("CLIENT_RANDOM {} {}\n", format!("{number:02x}").repeat(32), "00".repeat(48))
        };
        let (secrets, wrong) = faults(&(line(1) + &line(2) + &line(3) + &line(1)));
        assert_eq!((secrets.len(), wrong), (2, vec![KeyLogError { line: 3, what: KeyLogFault::TooMany }]));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let (secrets, _) = faults(&format!("CLIENT_RANDOM {} {}", "0a".repeat(32), "b1".repeat(48)));
        let shown = format!("{secrets:?} {:?}", secrets.of(&[10; 32]).unwrap().master);
        assert_eq!(shown, "Secrets { sessions: 1, .. } Some(Secret { .. })");
    }
}
