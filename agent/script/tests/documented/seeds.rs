//! The examples of the reference pages, where these are at hand, and what an example is without its layout.

use std::path::Path;

/// The texts of the fenced JavaScript examples of a Markdown page. A heading ends one whose closing fence is missing.
pub(crate) fn fenced(page: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match (&mut open, line.trim_end()) {
            (None, "```js") => open = Some(String::new()),
            (Some(_), "```") => examples.extend(open.take()),
            (Some(_), heading) if heading.starts_with("## ") => examples.extend(open.take()),
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    examples.extend(open);
    examples
}

/// All examples, by page in the order of their names. `None` where there are no pages.
pub(crate) fn examples(folder: &Path) -> Option<Vec<String>> {
    let mut pages: Vec<_> = std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    Some(pages.iter().flat_map(|page| fenced(&std::fs::read_to_string(page).unwrap())).collect())
}

/// Code without comments, and without white space outside of texts.
pub(crate) fn bare(code: &str) -> String {
    let mut bare = String::new();
    let mut chars = code.chars().peekable();
    let mut quote = None;
    while let Some(char) = chars.next() {
        if quote.is_some() {
            bare.push(char);
            if char == '\\' {
                bare.extend(chars.next());
            } else if quote == Some(char) {
                quote = None;
            }
        } else if char == '/' && chars.peek() == Some(&'/') {
            chars.by_ref().find(|char| *char == '\n');
        } else if !char.is_whitespace() {
            bare.push(char);
            quote = Some(char).filter(|char| matches!(char, '"' | '\'' | '`'));
        }
    }
    bare
}

/// The address of the webhook, up to its path.
const WEBHOOK: &str = "\"https://webhook.site/";

/// A bare example with its slips mended and its addresses replaced, as the files have them.
pub(crate) fn mended(bare: &str) -> String {
    let mut mended = bare.replace("filePathenv.", "filePath,env.").replace("filePathJSON.", "filePath,JSON.");
    if let Some(from) = mended.find(WEBHOOK) {
        let length = mended[from + 1..].find('"').map_or(0, |end| end + 2);
        mended.replace_range(from..from + length, "env.WEBHOOK_URL");
    }
    mended
}
