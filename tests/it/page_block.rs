//! The fenced blocks of pages.

use std::fs;

use crate::source_tree::root;

/// Those of which every part needs what openssl made.
const PAGES_OF_OPENSSL: [&str; 2] = ["docs/private-key-jwt.md", "docs/mutual-tls.md"];

/// A fenced block.
pub(crate) struct Block {
    /// Page and line, for messages.
    pub(crate) at: String,
    /// The heading that it stands under.
    pub(crate) section: String,
    pub(crate) language: String,
    pub(crate) text: String,
    /// What it prints, where the page says that.
    pub(crate) prints: Option<String>,
}

impl Block {
    pub(crate) fn needs(&self, program: &str) -> bool {
        let of_openssl = PAGES_OF_OPENSSL
            .iter()
            .any(|page| self.at.starts_with(page));
        self.text.contains(program) || (program == "openssl" && of_openssl)
    }
}

pub(crate) fn blocks(pages: &[&str]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for page in pages {
        let mut section = String::new();
        let text = fs::read_to_string(root().join(page)).unwrap();
        let mut open: Option<Block> = None;
        for (index, line) in text.lines().enumerate() {
            match (line.strip_prefix("```"), open.take()) {
                (Some(language), None) => {
                    let at = format!("{page}:{}", index + 1);
                    open = Some(Block {
                        at,
                        section: section.clone(),
                        language: language.to_owned(),
                        text: String::new(),
                        prints: None,
                    });
                }
                (Some(_), Some(block)) if block.language == "text" => {
                    let before: &mut Block = blocks.last_mut().expect("a block before it");
                    before.prints = Some(block.text);
                }
                (Some(_), Some(block)) => blocks.push(block),
                (None, Some(mut block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) if line.starts_with('#') => {
                    line.trim_start_matches(['#', ' ']).clone_into(&mut section);
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{page}: a block has no end");
    }
    blocks
}
