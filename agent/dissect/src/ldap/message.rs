//! What messages say (RFC 4511, section 4).

use super::filter::Writer;
use super::framing::Head;
use super::names::{self, op};
use crate::der::{Element, Elements, tag};
use crate::limits::ValueLimits;
use crate::read::ParseError;
use crate::tree::{Fields, Tree};

/// What is shown of a secret.
const HIDDEN: &str = "***";

/// A message as far as it could be read.
#[derive(Debug)]
pub(super) struct Decoded {
    pub fields: Fields,
    pub error: Option<ParseError>,
    /// The object identifier of an extended operation.
    pub oid: Option<String>,
    /// A bind by SASL.
    pub is_sasl: bool,
    /// The message id that is to be abandoned.
    pub abandons: Option<i64>,
    pub result_code: Option<i64>,
}

struct Decoder {
    limits: ValueLimits,
    out: Decoded,
    truncated: bool,
}

/// Reads a message, of which `bytes` may be only the beginning; `whole` tells.
pub(super) fn decode(head: &Head, bytes: &[u8], whole: bool, limits: ValueLimits) -> Decoded {
    let mut fields = Fields::with_capacity(8);
    if let Some((_, name)) = names::operation(head.op) {
        fields.push("type", name);
    }
    fields.push("messageId", head.id);
    let out = Decoded { fields, error: None, oid: None, is_sasl: false, abandons: None, result_code: None };
    let mut decoder = Decoder { limits, out, truncated: !whole };
    let end = usize::try_from(head.end).unwrap_or(usize::MAX).min(bytes.len());
    let content = bytes.get(head.content..end).unwrap_or_default();
    let operation = Element { tag: head.op, content, offset: head.content };
    let mut result = decoder.operation(operation);
    if result.is_ok()
        && let Some(rest @ [_, ..]) = bytes.get(end..)
    {
        result = decoder.controls(rest).map_err(|error| ParseError { offset: error.offset + end, ..error });
    }
    // Where the message is cut, an error is no wonder.
    if whole {
        decoder.out.error = result.err();
    }
    if decoder.truncated {
        decoder.out.fields.push("truncated", true);
    }
    decoder.out
}

impl Decoder {
    fn push(&mut self, name: &'static str, value: impl Into<Tree>) {
        self.out.fields.push(name, value);
    }

    fn capped<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let kept = &bytes[..bytes.len().min(self.limits.value_bytes)];
        self.truncated |= kept.len() < bytes.len();
        kept
    }

    fn text(&mut self, element: Element<'_>) -> Tree {
        Tree::lossy(self.capped(element.content))
    }

    fn value(&mut self, element: Element<'_>) -> Tree {
        Tree::text_or_bytes(self.capped(element.content))
    }

    fn push_text(&mut self, name: &'static str, element: Element<'_>) {
        let text = self.text(element);
        self.push(name, text);
    }

    /// The elements of a list up to the cap.
    fn list(
        &mut self,
        elements: Elements<'_>,
        mut each: impl FnMut(&mut Self, Element<'_>) -> Result<Tree, ParseError>,
    ) -> Result<Tree, ParseError> {
        let mut list = Vec::new();
        for element in elements {
            if list.len() >= self.limits.list_entries {
                self.truncated = true;
                break;
            }
            list.push(each(self, element?)?);
        }
        Ok(Tree::List(list))
    }

    fn texts(&mut self, elements: Elements<'_>) -> Result<Tree, ParseError> {
        self.list(elements, |decoder, element| Ok(decoder.text(element)))
    }

    fn values(&mut self, attribute: &[u8], elements: Elements<'_>) -> Result<Tree, ParseError> {
        let hide = names::is_secret(attribute);
        self.list(elements, |decoder, element| Ok(if hide { HIDDEN.into() } else { decoder.value(element) }))
    }

    fn operation(&mut self, operation: Element<'_>) -> Result<(), ParseError> {
        let mut parts = operation.elements();
        match operation.tag {
            op::BIND_REQUEST => self.bind(parts),
            op::SEARCH_REQUEST => self.search(parts),
            op::MODIFY_REQUEST => self.modify(parts),
            op::ADD_REQUEST | op::SEARCH_ENTRY => self.entry(parts),
            op::DEL_REQUEST => {
                self.push_text("dn", operation);
                Ok(())
            }
            op::MODIFY_DN_REQUEST => self.modify_dn(parts),
            op::COMPARE_REQUEST => self.compare(parts),
            op::ABANDON_REQUEST => {
                let id = operation.integer()?;
                self.out.abandons = Some(id);
                self.push("abandonId", id);
                Ok(())
            }
            op::EXTENDED_REQUEST => self.extended(parts, 0, true),
            op::INTERMEDIATE_RESPONSE => self.extended(parts, 0, false),
            op::SEARCH_REFERENCE => {
                let uris = self.texts(parts)?;
                self.push("uris", uris);
                Ok(())
            }
            op::EXTENDED_RESPONSE => {
                self.result(&mut parts)?;
                self.extended(parts, 10, false)
            }
            op::UNBIND_REQUEST => Ok(()),
            _ => {
                self.result(&mut parts)?;
                // Server credentials of a SASL bind.
                if parts.optional(tag::context_primitive(7))?.is_some() {
                    self.push("credentials", HIDDEN);
                }
                Ok(())
            }
        }
    }

    fn bind(&mut self, mut parts: Elements<'_>) -> Result<(), ParseError> {
        let version = parts.expect(tag::INTEGER)?.integer()?;
        self.push("version", version);
        let name = parts.expect(tag::OCTET_STRING)?;
        self.push_text("dn", name);
        let authentication = parts.element()?;
        let has_credentials = match authentication.tag {
            0x80 => {
                self.push("authentication", "simple");
                !authentication.content.is_empty()
            }
            0xa3 => {
                self.out.is_sasl = true;
                self.push("authentication", "sasl");
                let mut sasl = authentication.elements();
                let mechanism = sasl.expect(tag::OCTET_STRING)?;
                self.push_text("mechanism", mechanism);
                sasl.optional(tag::OCTET_STRING)?.is_some()
            }
            // Of Active Directory ([MS-ADTS], section 5.1.1.1.3).
            0x89..=0x8b => {
                self.out.is_sasl = true;
                self.push("authentication", "sicily");
                true
            }
            _ => return Err(authentication.error("an authentication of a kind that is not known")),
        };
        if has_credentials {
            self.push("credentials", HIDDEN);
        }
        Ok(())
    }

    fn search(&mut self, mut parts: Elements<'_>) -> Result<(), ParseError> {
        let base = parts.expect(tag::OCTET_STRING)?;
        self.push_text("dn", base);
        for (name, names) in [("scope", names::SCOPES), ("derefAliases", names::DEREFS)] {
            let element = parts.expect(tag::ENUMERATED)?;
            let number = element.integer()?;
            let Some(text) = usize::try_from(number).ok().and_then(|number| names.get(number)) else {
                return Err(element.error("a scope or dereferencing that is not known"));
            };
            self.push(name, *text);
        }
        for name in ["sizeLimit", "timeLimit"] {
            let limit = parts.expect(tag::INTEGER)?.integer()?;
            self.push(name, limit);
        }
        let types_only = parts.expect(tag::BOOLEAN)?.boolean()?;
        self.push("typesOnly", types_only);
        let filter = parts.element()?;
        let (text, truncated, result) = Writer::write(filter, self.limits.value_bytes, self.limits.nesting);
        self.truncated |= truncated;
        result?;
        self.push("filter", text);
        let attributes = parts.expect(tag::SEQUENCE)?.elements();
        let attributes = self.texts(attributes)?;
        self.push("attributes", attributes);
        Ok(())
    }

    /// A DN and attributes: an entry that is found, or to be added.
    fn entry(&mut self, mut parts: Elements<'_>) -> Result<(), ParseError> {
        let dn = parts.expect(tag::OCTET_STRING)?;
        self.push_text("dn", dn);
        let mut attributes = Fields::new();
        for attribute in parts.expect(tag::SEQUENCE)?.elements() {
            if attributes.len() >= self.limits.list_entries {
                self.truncated = true;
                break;
            }
            let mut attribute = attribute?.elements();
            let name = attribute.expect(tag::OCTET_STRING)?.content;
            let values = self.values(name, attribute.expect(tag::SET)?.elements())?;
            attributes.push(crate::text::lossy(self.capped(name)).into_owned(), values);
        }
        self.push("attributes", attributes);
        Ok(())
    }

    fn modify(&mut self, mut parts: Elements<'_>) -> Result<(), ParseError> {
        let dn = parts.expect(tag::OCTET_STRING)?;
        self.push_text("dn", dn);
        let changes = parts.expect(tag::SEQUENCE)?.elements();
        let changes = self.list(changes, |decoder, change| {
            let mut change = change.elements();
            let operation = change.expect(tag::ENUMERATED)?;
            let name = match operation.integer()? {
                0 => "add",
                1 => "delete",
                2 => "replace",
                // RFC 4525.
                3 => "increment",
                _ => return Err(operation.error("a change of a kind that is not known")),
            };
            let mut attribute = change.expect(tag::SEQUENCE)?.elements();
            let attribute_name = attribute.expect(tag::OCTET_STRING)?;
            let values = decoder.values(attribute_name.content, attribute.expect(tag::SET)?.elements())?;
            let attribute_name = decoder.text(attribute_name);
            let change = Fields::new().with("operation", name).with("attribute", attribute_name);
            Ok(Tree::Fields(change.with("values", values)))
        })?;
        self.push("changes", changes);
        Ok(())
    }

    fn modify_dn(&mut self, mut parts: Elements<'_>) -> Result<(), ParseError> {
        for name in ["dn", "newRdn"] {
            let element = parts.expect(tag::OCTET_STRING)?;
            self.push_text(name, element);
        }
        let delete = parts.expect(tag::BOOLEAN)?.boolean()?;
        self.push("deleteOldRdn", delete);
        if let Some(superior) = parts.optional(tag::context_primitive(0))? {
            self.push_text("newSuperior", superior);
        }
        Ok(())
    }

    fn compare(&mut self, mut parts: Elements<'_>) -> Result<(), ParseError> {
        let dn = parts.expect(tag::OCTET_STRING)?;
        self.push_text("dn", dn);
        let mut assertion = parts.expect(tag::SEQUENCE)?.elements();
        let attribute = assertion.expect(tag::OCTET_STRING)?;
        let value = assertion.expect(tag::OCTET_STRING)?;
        self.push_text("attribute", attribute);
        let value = if names::is_secret(attribute.content) { HIDDEN.into() } else { self.value(value) };
        self.push("value", value);
        Ok(())
    }

    /// A name and a value, which have the tags `first` and the one after it.
    fn extended(&mut self, mut parts: Elements<'_>, first: u8, is_request: bool) -> Result<(), ParseError> {
        if let Some(oid) = parts.optional(tag::context_primitive(first))? {
            let text = crate::text::lossy(self.capped(oid.content)).into_owned();
            self.push("oid", text.clone());
            if let Some(name) = names::oid(&text) {
                self.push("name", name);
            }
            self.out.oid = Some(text);
        } else if is_request {
            return Err(parts
                .expect(tag::context_primitive(first))
                .err()
                .unwrap_or(ParseError { offset: 0, what: "an element is missing" }));
        }
        let Some(value) = parts.optional(tag::context_primitive(first + 1))? else { return Ok(()) };
        if is_request && self.out.oid.as_deref() == Some(names::PASSWORD_MODIFY) {
            return self.password_modify(value);
        }
        // Whether the response to a password change holds a password can't be told from the response alone.
        let holds_password = value.content.first() == Some(&tag::SEQUENCE) && first == 10;
        let value = if holds_password { HIDDEN.into() } else { self.value(value) };
        self.push("value", value);
        Ok(())
    }

    /// RFC 3062, section 2.
    fn password_modify(&mut self, value: Element<'_>) -> Result<(), ParseError> {
        for part in value.elements().expect(tag::SEQUENCE)?.elements() {
            let part = part?;
            match part.tag {
                0x80 => self.push_text("userIdentity", part),
                0x81 => self.push("oldPassword", HIDDEN),
                0x82 => self.push("newPassword", HIDDEN),
                _ => {}
            }
        }
        Ok(())
    }

    /// Section 4.1.9.
    fn result(&mut self, parts: &mut Elements<'_>) -> Result<(), ParseError> {
        let code = parts.expect(tag::ENUMERATED)?.integer()?;
        self.out.result_code = Some(code);
        self.push("resultCode", code);
        if let Some(name) = names::result(code) {
            self.push("result", name);
        }
        self.push("success", names::is_success(code));
        let matched = parts.expect(tag::OCTET_STRING)?;
        if !matched.content.is_empty() {
            self.push_text("matchedDn", matched);
        }
        let message = parts.expect(tag::OCTET_STRING)?;
        if !message.content.is_empty() {
            // Active Directory ends it with a zero.
            let text = message.content.strip_suffix(&[0]).unwrap_or(message.content);
            self.push_text("message", Element { content: text, ..message });
        }
        if let Some(referral) = parts.optional(tag::context(3))? {
            let uris = self.texts(referral.elements())?;
            self.push("referrals", uris);
        }
        Ok(())
    }

    /// Section 4.1.11.
    fn controls(&mut self, bytes: &[u8]) -> Result<(), ParseError> {
        let Some(controls) = Elements::new(bytes).optional(tag::context(0))? else { return Ok(()) };
        let controls = self.list(controls.elements(), |decoder, control| {
            let mut parts = control.elements();
            let oid = parts.expect(tag::OCTET_STRING)?;
            let oid = crate::text::lossy(decoder.capped(oid.content)).into_owned();
            let critical = match parts.optional(tag::BOOLEAN)? {
                Some(critical) => critical.boolean()?,
                None => false,
            };
            let name = names::oid(&oid);
            let is_paged = oid == names::PAGED_RESULTS;
            let mut fields = Fields::new().with("oid", oid);
            fields.push_some("name", name);
            fields.push("critical", critical);
            match parts.optional(tag::OCTET_STRING)? {
                // RFC 2696.
                Some(value) if is_paged => {
                    let mut paged = value.elements().expect(tag::SEQUENCE)?.elements();
                    fields.push("size", paged.expect(tag::INTEGER)?.integer()?);
                    let cookie = decoder.capped(paged.expect(tag::OCTET_STRING)?.content);
                    fields.push("cookie", Tree::Bytes(cookie.to_vec()));
                }
                Some(value) => {
                    let value = decoder.capped(value.content).to_vec();
                    fields.push("value", Tree::Bytes(value));
                }
                None => {}
            }
            Ok(Tree::Fields(fields))
        })?;
        self.push("controls", controls);
        Ok(())
    }
}
