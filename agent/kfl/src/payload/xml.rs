//! XML as JSON-like values: an element is an object of its attributes (`-name`), its child elements (several of one name are
//! a list) and its own text (`#text`); one with nothing but text is that text. Prefixes of names are left out.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::edit::Edit;
use super::{Part, TooLarge};
use crate::caps::{MAX_XML_ATTRIBUTES, MAX_XML_DEPTH, MAX_XML_ELEMENTS};
use crate::value::Kind;

pub(super) struct Element {
    name: Box<str>,
    attributes: Vec<Attribute>,
    children: Vec<usize>,
    text: String,
    /// Where the pieces of the text stand.
    pieces: Vec<Range<usize>>,
    /// Between the tags; nothing for `<a/>`.
    content: Option<Range<usize>>,
}

pub(super) struct Attribute {
    /// With the dash.
    name: Box<str>,
    value: Box<str>,
    /// Between the quotes.
    range: Range<usize>,
}

/// All elements in the order of their start tags, the root first.
pub(super) struct Document(Vec<Element>);

/// The document, if the text is well-formed XML with one root. Entities that a document type declares are not expanded.
pub(super) fn read(text: &str) -> Result<Option<Document>, TooLarge> {
    if !text.trim_start_matches(['\u{feff}', ' ', '\t', '\n', '\r']).starts_with('<') {
        return Ok(None);
    }
    let mut reader = Reader::from_str(text);
    let mut builder = Builder { source: text, elements: Vec::new(), open: Vec::new(), attributes: 0 };
    let position = |reader: &Reader<&[u8]>| usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
    loop {
        let start = position(&reader);
        let Ok(event) = reader.read_event() else { return Ok(None) };
        let range = start..position(&reader);
        let accepted = match event {
            Event::Start(tag) => builder.begin(&tag, Some(range.end))?,
            Event::Empty(tag) => builder.begin(&tag, None)?,
            Event::End(_) => builder.end(range.start),
            Event::Text(text) => match text.xml_content(quick_xml::XmlVersion::Explicit1_0) {
                Ok(text) => builder.text(&text, range),
                Err(_) => false,
            },
            Event::CData(text) => match text.decode() {
                Ok(text) => builder.text(&text, range),
                Err(_) => false,
            },
            Event::GeneralRef(reference) => builder.reference(&reference, range),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => true,
            Event::Eof => return Ok(builder.finish()),
        };
        if !accepted {
            return Ok(None);
        }
    }
}

struct Builder<'t> {
    source: &'t str,
    elements: Vec<Element>,
    open: Vec<usize>,
    attributes: usize,
}

impl Builder<'_> {
    fn begin(&mut self, tag: &BytesStart<'_>, content: Option<usize>) -> Result<bool, TooLarge> {
        if self.elements.len() == MAX_XML_ELEMENTS || self.open.len() == MAX_XML_DEPTH {
            return Err(TooLarge);
        }
        let index = self.elements.len();
        match self.open.last() {
            Some(&parent) => self.elements[parent].children.push(index),
            None if index > 0 => return Ok(false),
            None => {}
        }
        let name = local(tag.local_name().as_ref());
        let Some(attributes) = self.attributes(tag)? else { return Ok(false) };
        let content = content.map(|start| start..start);
        let open = content.is_some();
        self.elements.push(Element {
            name,
            attributes,
            children: Vec::new(),
            text: String::new(),
            pieces: Vec::new(),
            content,
        });
        if open {
            self.open.push(index);
        }
        Ok(true)
    }

    fn attributes(&mut self, tag: &BytesStart<'_>) -> Result<Option<Vec<Attribute>>, TooLarge> {
        let mut attributes = Vec::new();
        // Names are not checked for repetition, which would take the square of their number.
        for attribute in tag.attributes().with_checks(false) {
            self.attributes += 1;
            if self.attributes > MAX_XML_ATTRIBUTES {
                return Err(TooLarge);
            }
            let Ok(attribute) = attribute else { return Ok(None) };
            let raw = &attribute.value;
            // The reader borrows from the source, so the difference of the addresses is the position.
            let start = (raw.as_ptr() as usize).wrapping_sub(self.source.as_ptr() as usize);
            let range = start..start.wrapping_add(raw.len());
            let Some(text) = self.source.get(range.clone()).filter(|text| text.as_bytes() == &raw[..]) else {
                return Ok(None);
            };
            let Ok(value) = unescape(text) else { return Ok(None) };
            let name = format!("-{}", local(attribute.key.local_name().as_ref()));
            attributes.push(Attribute { name: name.into(), value: value.into(), range });
        }
        Ok(Some(attributes))
    }

    fn end(&mut self, content_end: usize) -> bool {
        let Some(element) = self.open.pop() else { return false };
        let element = &mut self.elements[element];
        if let Some(content) = &mut element.content {
            content.end = content_end;
        }
        let trimmed = element.text.trim_end().len();
        element.text.truncate(trimmed);
        true
    }

    /// White space at the ends of an element's text is left out. Outside the root there is no other text.
    fn text(&mut self, text: &str, range: Range<usize>) -> bool {
        let Some(&element) = self.open.last() else {
            return text.chars().all(|character| character.is_whitespace() || character == '\u{feff}');
        };
        let element = &mut self.elements[element];
        let text = if element.text.is_empty() { text.trim_start() } else { text };
        if text.is_empty() {
            return true;
        }
        element.text.push_str(text);
        match element.pieces.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ if text.trim().is_empty() => {}
            _ => element.pieces.push(range),
        }
        true
    }

    /// `&amp;`, `&#38;`; another entity stays as it is written.
    fn reference(&mut self, reference: &BytesRef<'_>, range: Range<usize>) -> bool {
        let Ok(name) = reference.decode() else { return false };
        if let Some(text) = resolve_predefined_entity(&name) {
            return self.text(text, range);
        }
        match reference.resolve_char_ref() {
            Ok(Some(character)) => self.text(character.encode_utf8(&mut [0; 4]), range),
            Ok(None) => self.text(&format!("&{name};"), range),
            Err(_) => false,
        }
    }

    fn finish(self) -> Option<Document> {
        let whole = self.open.is_empty() && !self.elements.is_empty();
        whole.then_some(Document(self.elements))
    }
}

fn local(name: &[u8]) -> Box<str> {
    String::from_utf8_lossy(name).into()
}

#[derive(Clone)]
pub(super) enum Xml<'d> {
    Root(&'d Document),
    Element(&'d Document, &'d Element),
    /// Elements of one name.
    Group(&'d Document, Vec<usize>),
    Attribute(&'d Attribute),
    /// An element's own text.
    Text(&'d Element),
}

impl<'d> Xml<'d> {
    pub(super) fn root(document: &'d Document) -> Self {
        Self::Root(document)
    }

    fn visit_parts(&self, visit: &mut dyn FnMut(Option<&str>, &Self) -> ControlFlow<()>) -> ControlFlow<()> {
        match self {
            Self::Root(document) => document
                .0
                .iter()
                .take(1)
                .try_for_each(|root| visit(Some(&root.name), &Self::Element(document, root))),
            Self::Element(document, element) if Part::kind(self) == Kind::Object => {
                for attribute in &element.attributes {
                    visit(Some(&attribute.name), &Self::Attribute(attribute))?;
                }
                for (name, group) in Self::groups(document, element) {
                    let part = match group[..] {
                        [only] => Self::Element(document, &document.0[only]),
                        _ => Self::Group(document, group),
                    };
                    visit(Some(name), &part)?;
                }
                if element.text.is_empty() {
                    return ControlFlow::Continue(());
                }
                visit(Some("#text"), &Self::Text(element))
            }
            Self::Group(document, group) => {
                group.iter().try_for_each(|&index| visit(None, &Self::Element(document, &document.0[index])))
            }
            Self::Element(..) | Self::Attribute(_) | Self::Text(_) => ControlFlow::Continue(()),
        }
    }

    /// The child elements by name, in the order of the first of each name.
    fn groups(document: &'d Document, element: &'d Element) -> Vec<(&'d str, Vec<usize>)> {
        let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
        let mut places = HashMap::new();
        for &index in &element.children {
            let name = &*document.0[index].name;
            let place = *places.entry(name).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((_, group)) => group.push(index),
                None => groups.push((name, vec![index])),
            }
        }
        groups
    }
}

impl Part for Xml<'_> {
    fn kind(&self) -> Kind<'_> {
        match self {
            Self::Root(_) => Kind::Object,
            Self::Element(_, element) if element.attributes.is_empty() && element.children.is_empty() => {
                Kind::Str(&element.text)
            }
            Self::Element(..) => Kind::Object,
            Self::Group(..) => Kind::List,
            Self::Attribute(attribute) => Kind::Str(&attribute.value),
            Self::Text(element) => Kind::Str(&element.text),
        }
    }

    fn parts(&self, visit: &mut dyn FnMut(Option<&str>, &Self) -> ControlFlow<()>) {
        let _ = self.visit_parts(visit);
    }

    fn size(&self) -> usize {
        match self {
            Self::Element(_, element) => element.children.len() + element.attributes.len(),
            Self::Group(_, group) => group.len(),
            _ => 0,
        }
    }

    fn replace(&self, text: &str, edits: &mut Vec<Edit>) {
        let escaped = quick_xml::escape::escape(text).into_owned();
        let mut replace = |range: &Range<usize>, text: &str| {
            edits.push(Edit { range: range.clone(), text: text.to_owned() });
        };
        match self {
            Self::Root(document) => {
                if let Some(root) = document.0.first() {
                    Self::Element(document, root).replace(text, edits);
                }
            }
            Self::Element(_, element) => {
                element.attributes.iter().for_each(|attribute| replace(&attribute.range, &escaped));
                element.content.iter().for_each(|content| replace(content, &escaped));
            }
            Self::Group(document, group) => {
                let elements = group.iter().map(|&index| Self::Element(document, &document.0[index]));
                elements.for_each(|element| element.replace(text, edits));
            }
            Self::Attribute(attribute) => replace(&attribute.range, &escaped),
            Self::Text(element) => {
                for (index, piece) in element.pieces.iter().enumerate() {
                    replace(piece, if index == 0 { &escaped } else { "" });
                }
            }
        }
    }
}
