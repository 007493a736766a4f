//! docs/runbooks.md: each line is typed as printed, at a site that has what the page says, and then what it promises
//! holds.

use crate::harness::Database;
use crate::page_block::blocks;
use crate::process::{access_token, eventually, request, token};
use crate::raw_sql::execute;
use crate::readme::{Reader, missing};

const PAGE: &str = "docs/runbooks.md";
const SECRET: &str = "a-secret-of-the-catalog";

/// What the page takes for granted.
const SETTINGS: &str = r#"
issuer = "https://auth.internal.example"
database_url = "DATABASE"
[public]
listen = "127.0.0.1:8080"
[sealing]
key_file = "sealing.key"
"#;
const CATALOG: &str = r#"
[[audience]]
id = "stock-api"
scopes = ["stock:read", "stock:write"]
served_by = ["stock-api"]

[[client]]
id = "reports"
auth = "client_secret_post"
secret = "env:REPORTS_SECRET"
  [[client.policy]]
  audience = "stock-api"
  scopes = ["stock:read"]
  default_scopes = ["stock:read"]

[[client]]
id = "stock-api"
grants = []
auth = "client_secret_post"
secret = "env:REPORTS_SECRET"
"#;

/// A site that serves, and its operator.
struct Site {
    reader: Reader,
    /// A token that was issued before the section.
    token: String,
    /// What the last block printed.
    told: String,
}

impl Site {
    async fn new() -> Self {
        let database = Database::postgres_alone().await;
        let reader = Reader::new(database);
        let place = &reader.place;
        place.write(
            "grantd.toml",
            &SETTINGS.replace("DATABASE", &reader.database.url),
        );
        place.write("catalog.toml", CATALOG);
        crate::place::write_private(&place.path("sealing.key"), &[7; 32]);
        let variables = std::fs::read_to_string(place.path("variables")).unwrap();
        place.write(
            "variables",
            &format!("{variables}REPORTS_SECRET={SECRET}\n"),
        );
        let mut this = Self {
            reader,
            token: String::new(),
            told: String::new(),
        };
        this.type_in(
            "grantd migrate --config grantd.toml\ngrantd apply catalog.toml --config grantd.toml",
        );
        // The one that leaks.
        this.type_in("grantd credential add-secret reports --config grantd.toml >leaked-secret");
        this.reader.start(&["serve", "--config", "grantd.toml"]);
        this
    }

    /// Lines beside those of the page.
    fn type_in(&mut self, lines: &str) {
        self.reader.run_lines(lines, "beside the page");
    }

    fn secret(&self, file: &str) -> String {
        let text = std::fs::read_to_string(self.reader.place.path(file)).unwrap();
        text.trim_end().to_owned()
    }

    fn ask(&self, secret: &str) -> (u16, String) {
        token(self.reader.public.unwrap(), "reports", secret).unwrap()
    }

    fn is_active(&self, token: &str) -> bool {
        let form = format!("token={token}&client_id=stock-api&client_secret={SECRET}");
        let address = self.reader.public.unwrap();
        let (status, answer) = request(address, "POST /oauth2/introspect", &form).unwrap();
        status == 200 && answer.contains(r#""active":true"#)
    }

    /// A token for `secret`, as soon as there is one.
    #[track_caller]
    fn issued(&self, secret: &str) -> String {
        let mut got = None;
        eventually("a token is issued", || {
            let (status, answer) = self.ask(secret);
            got = (status == 200).then(|| access_token(&answer));
            got.is_some()
        });
        got.unwrap()
    }

    /// That the catalog's secret gets a token that lives, and the one from before does not.
    #[track_caller]
    fn assert_only_new_tokens_live(&self) {
        eventually("the old token is dead", || !self.is_active(&self.token));
        let new = self.issued(SECRET);
        eventually("the new token lives", || self.is_active(&new));
        assert!(!self.is_active(&self.token));
    }

    /// What happens before a block is typed.
    async fn before(&mut self, section: &str, text: &str) {
        let is_restored = text.contains("pg_restore --clean");
        if is_restored {
            // Since the dump, and known to the server: it is lost with the database.
            self.type_in("grantd client disable reports");
            eventually("the client is refused", || self.ask(SECRET).0 == 401);
        }
        if is_restored || section == "There is no backup" {
            let gone = "DROP SCHEMA public CASCADE";
            execute(&self.reader.database, gone).await;
            execute(&self.reader.database, "CREATE SCHEMA public").await;
        }
    }

    /// What holds after a section.
    fn check(&self, section: &str) {
        match section {
            "A secret has leaked" => {
                let leaked = self.secret("leaked-secret");
                eventually("the leaked secret is refused", || {
                    self.ask(&leaked).0 == 401
                });
                self.issued(&self.secret("new-secret"));
                assert!(!self.is_active(&self.token));
            }
            // The server runs on, and does not trust what it remembers.
            "The database is lost" => {
                self.issued(SECRET);
                let log = self.reader.serve_log();
                assert!(log.contains("has lost changes"), "{log}");
            }
            "Try a restore" => assert!(self.told.contains("reports"), "{}", self.told),
            "There is no backup" => {
                self.issued(&self.secret("new-secret"));
                assert!(!self.is_active(&self.token));
            }
            "A signing key has leaked"
            | "The sealing key has leaked"
            | "The database was restored from yesterday"
            | "The sealing key is lost" => {
                self.assert_only_new_tokens_live();
            }
            "A client floods" => {
                assert!(!self.is_active(&self.token));
                let new = self.issued(SECRET);
                eventually("it is let in again", || self.is_active(&new));
            }
            "Runbooks" => {}
            other => panic!("nothing is checked after {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_the_runbooks_does_what_the_page_promises() {
    let missing = missing(&["pg_dump", "pg_restore", "psql"]);
    assert!(
        missing.is_empty(),
        "{missing:?}: install the client programs of Postgres"
    );
    let mut site = Site::new().await;
    let blocks = blocks(&[PAGE]);
    for (at, block) in blocks.iter().enumerate() {
        let section = block.section.as_str();
        let is_first = at == 0 || blocks[at - 1].section != section;
        if is_first && site.reader.public.is_some() {
            let secret = match section {
                "A secret has leaked" => site.secret("leaked-secret"),
                _ => SECRET.to_owned(),
            };
            site.token = site.issued(&secret);
            assert!(site.is_active(&site.token), "{section}");
        }
        site.before(section, &block.text).await;
        site.told = site.reader.take(block);
        if blocks
            .get(at + 1)
            .is_none_or(|next| next.section != section)
        {
            site.check(section);
        }
    }
}
