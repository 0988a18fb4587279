//! Command lines and reply lines (RFC 5321, sections 4.1 and 4.2).

use crate::Limits;
use crate::tree::{Fields, Tree};

/// Longer lines are not of SMTP, whose limit is 512 bytes and more with extensions (section 4.5.3.1).
pub(super) const MAX_LINE: usize = 16 << 10;

/// Bytes kept of what a server says of one recipient.
pub(super) const RECIPIENT_TEXT: usize = 512;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verb {
    Ehlo,
    Helo,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Auth,
    StartTls,
    /// VRFY, EXPN, HELP, NOOP, QUIT, and the rare ones.
    Other(&'static str),
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Command<'a> {
    pub verb: Verb,
    /// As sent.
    pub name: &'a [u8],
    pub argument: &'a [u8],
}

const VERBS: [(&str, Verb); 18] = [
    ("EHLO", Verb::Ehlo),
    ("HELO", Verb::Helo),
    ("MAIL", Verb::Mail),
    ("RCPT", Verb::Rcpt),
    ("DATA", Verb::Data),
    ("BDAT", Verb::Bdat),
    ("RSET", Verb::Rset),
    ("AUTH", Verb::Auth),
    ("STARTTLS", Verb::StartTls),
    ("VRFY", Verb::Other("VRFY")),
    ("EXPN", Verb::Other("EXPN")),
    ("HELP", Verb::Other("HELP")),
    ("NOOP", Verb::Other("NOOP")),
    ("QUIT", Verb::Other("QUIT")),
    ("ETRN", Verb::Other("ETRN")),
    ("TURN", Verb::Other("TURN")),
    ("XCLIENT", Verb::Other("XCLIENT")),
    ("XFORWARD", Verb::Other("XFORWARD")),
];

/// A line without its end, as a command.
pub(super) fn command(line: &[u8]) -> Command<'_> {
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    let (name, argument) = (&line[..end], line[end..].trim_ascii());
    let known = VERBS.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
    let verb = known.map_or(Verb::Unknown, |(_, verb)| *verb);
    Command { verb, name, argument }
}

impl Command<'_> {
    /// Whether it is written as commands are: with its argument where it needs one, and none where it takes none.
    pub(super) fn is_well_formed(&self) -> bool {
        let begins = |what: &[u8]| {
            self.argument.get(..what.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(what))
        };
        match self.verb {
            Verb::Ehlo | Verb::Helo => {
                !self.argument.is_empty() && self.argument.iter().all(|byte| (0x21..0x7f).contains(byte))
            }
            Verb::Mail => begins(b"FROM:"),
            Verb::Rcpt => begins(b"TO:"),
            Verb::Data | Verb::Rset | Verb::StartTls | Verb::Other("QUIT") => self.argument.is_empty(),
            Verb::Bdat => self.chunk().is_some(),
            Verb::Auth => !self.argument.is_empty(),
            Verb::Other(name) => name == "NOOP" || name == "HELP" || !self.argument.is_empty(),
            Verb::Unknown => false,
        }
    }

    /// Whether it is a command that no other protocol has.
    pub(super) fn is_telling(&self) -> bool {
        matches!(self.verb, Verb::Ehlo | Verb::Helo | Verb::Mail | Verb::Rcpt) && self.is_well_formed()
    }

    /// The size of a BDAT chunk, and whether it is the last (RFC 3030, section 2).
    pub(super) fn chunk(&self) -> Option<(u64, bool)> {
        let text = std::str::from_utf8(self.argument).ok()?;
        let mut words = text.split_ascii_whitespace();
        let size = words.next()?.parse().ok()?;
        let last = match words.next() {
            None => false,
            Some(word) if word.eq_ignore_ascii_case("LAST") => true,
            Some(_) => return None,
        };
        (self.verb == Verb::Bdat && words.next().is_none()).then_some((size, last))
    }

    /// The address and the parameters of MAIL and RCPT: `FROM:<a@b> SIZE=1`. Some clients leave a space, or the brackets.
    pub(super) fn path(&self) -> (&[u8], &[u8]) {
        let colon = memchr::memchr(b':', self.argument).map_or(0, |at| at + 1);
        let path = self.argument[colon..].trim_ascii_start();
        if let Some(inner) = path.strip_prefix(b"<")
            && let Some(end) = memchr::memchr(b'>', inner)
        {
            return (&inner[..end], inner[end + 1..].trim_ascii());
        }
        let end = memchr::memchr(b' ', path).unwrap_or(path.len());
        (&path[..end], path[end..].trim_ascii())
    }

    /// The side of an item it becomes where it is an exchange of its own.
    pub(super) fn fields(&self, limits: &Limits) -> Fields {
        let mut fields = Fields::new().with("command", self.shown_name());
        match self.verb {
            Verb::Auth => {
                let mut words = self.argument.splitn(2, |byte| *byte == b' ');
                fields.push("mechanism", Tree::lossy(words.next().unwrap_or_default()));
                // Also those that follow in lines of their own.
                fields.push("credentials", "***");
            }
            _ if self.argument.is_empty() => {}
            _ => {
                let (text, truncated) = capped(self.argument, limits.value_bytes);
                fields.push("argument", text);
                if truncated {
                    fields.push("truncated", true);
                }
            }
        }
        fields
    }

    /// In capitals where it is known.
    fn shown_name(&self) -> Tree {
        match VERBS.iter().find(|(_, verb)| *verb == self.verb) {
            Some((name, _)) => (*name).into(),
            None => Tree::lossy(self.name),
        }
    }
}

pub(super) fn capped(bytes: &[u8], cap: usize) -> (Tree, bool) {
    (Tree::lossy(&bytes[..bytes.len().min(cap)]), bytes.len() > cap)
}

/// `SIZE=1 BODY=8BITMIME` as fields.
pub(super) fn parameters(text: &[u8]) -> Option<Fields> {
    if text.is_empty() {
        return None;
    }
    let mut fields = Fields::new();
    for word in text.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).take(32) {
        let mut parts = word.splitn(2, |byte| *byte == b'=');
        let name = crate::text::lossy(parts.next().unwrap_or_default()).to_ascii_uppercase();
        match parts.next() {
            Some(value) => fields.push(name, Tree::lossy(value)),
            None => fields.push(name, true),
        }
    }
    Some(fields)
}

/// The code of a reply line, whether it is the reply's last, and its text. `None` where it is not one.
pub(super) fn reply_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (code, rest) = line.split_at_checked(3)?;
    let [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9'] = code else { return None };
    let code = code.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest {
        [] => Some((code, true, rest)),
        [b' ', text @ ..] => Some((code, true, text)),
        [b'-', text @ ..] => Some((code, false, text)),
        _ => None,
    }
}

/// The enhanced status code a reply begins with (RFC 2034, section 4): `5.1.1`.
pub(super) fn enhanced(code: u16, text: &str) -> Option<&str> {
    let word = text.split([' ', '\n']).next()?;
    let mut parts = word.split('.');
    let class = parts.next()?;
    let short = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = matches!(class, "2" | "4" | "5") && class.parse() == Ok(code / 100);
    (fits && parts.next().is_some_and(short) && parts.next().is_some_and(short) && parts.next().is_none())
        .then_some(word)
}

/// The end of the first line of `bytes`, its line feed not included, and where the next begins.
pub(super) fn line_end(bytes: &[u8]) -> Option<(usize, usize)> {
    let feed = memchr::memchr(b'\n', &bytes[..bytes.len().min(MAX_LINE)])?;
    let end = if feed > 0 && bytes[feed - 1] == b'\r' { feed - 1 } else { feed };
    Some((end, feed + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_their_paths() {
        let mail = command(b"mail FROM:<a@b> SIZE=12 SMTPUTF8");
        assert!(mail.is_telling());
        assert_eq!(mail.path(), (&b"a@b"[..], &b"SIZE=12 SMTPUTF8"[..]));
        assert_eq!(command(b"MAIL FROM: a@b X=1").path(), (&b"a@b"[..], &b"X=1"[..]));
        assert_eq!(command(b"MAIL FROM:<>").path(), (&b""[..], &b""[..]));
        assert_eq!(command(b"BDAT 86 LAST").chunk(), Some((86, true)));
        assert_eq!(command(b"BDAT 86").chunk(), Some((86, false)));
        assert_eq!(command(b"BDAT x").chunk(), None);
        assert!(!command(b"MAIL a").is_well_formed() && !command(b"DATA x").is_well_formed());
        assert_eq!(command(b"BOGUS x").verb, Verb::Unknown);
    }

    #[test]
    fn replies_and_enhanced_codes() {
        assert_eq!(reply_line(b"250-SIZE 1"), Some((250, false, &b"SIZE 1"[..])));
        assert_eq!(reply_line(b"250"), Some((250, true, &b""[..])));
        for wrong in [&b"25"[..], b"150 x", b"2500 x", b"2x0 x"] {
            assert_eq!(reply_line(wrong), None);
        }
        assert_eq!(enhanced(250, "2.1.0 Ok"), Some("2.1.0"));
        for wrong in ["5.1.0 x", "2.1 x", "2.1.0.0", "2.1.x", ""] {
            assert_eq!(enhanced(250, wrong), None, "{wrong}");
        }
    }
}
