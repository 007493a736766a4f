//! From the tree of a settings document to [`Settings`], table by table.

use std::path::Path;

use super::declare::Declared;
use super::root::Root;
use super::{Feed, Keys, MutualTls, Settings, environment, listeners, proxy, sealing};
use crate::config::absent_secrets::AbsentSecrets;
use crate::config::document::{self, Table};
use crate::config::fault::{ConfigError, Faults, Place, Problem};
use crate::config::shaped::Section;
use crate::domain::signing_key::periods::notice;

/// Reads everything from the document of this name and text.
pub(super) fn settings(
    document: Option<(&str, &str)>,
    base: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
    absent: Option<&AbsentSecrets>,
) -> Result<Settings, ConfigError> {
    let (mut table, place) = match document {
        Some((name, text)) => (document::parse(name, text)?, Place::start_of(name)),
        None => (Table::default(), Place::Nowhere),
    };
    let faults = Faults::with(absent.cloned());
    let service_links = environment::overlay(&mut table, variables, &faults);
    let (table, nothing) = (&table, &Table::default());
    let root = Section::new(String::new(), (&place, table), &faults);
    let mut reader = Reader {
        root,
        nothing,
        base,
    };
    let settings = reader.settings();
    reader.root.finish();
    faults.or(settings.map(|settings| Settings {
        service_links,
        ..settings
    }))
}

struct Reader<'t> {
    root: Section<'t>,
    /// In the place of tables that are absent.
    nothing: &'t Table,
    base: &'t Path,
}

impl<'t> Reader<'t> {
    fn settings(&mut self) -> Option<Settings> {
        let base = self.base;
        let outside = Root::read(&mut self.root, base);
        let public = self.table("public", |table| listeners::public(table, base));
        let mtls = self.present("mtls", |table| listeners::mutual(table, base, &public));
        let proxy = self.present("proxy", |table| proxy::proxy(table, base, mtls.as_ref()));
        let others = [
            Some(public.listen),
            mtls.as_ref().and_then(MutualTls::listen),
        ];
        let operations = self.table("operations", |table| {
            listeners::operations(table, base, others)
        });
        let issuer = outside.issuer(&self.root, public.allow_plain_http);
        if let (Some(mtls), Some(place)) = (&mtls, self.root.has("mtls")) {
            let others = (proxy.as_ref(), issuer.as_ref());
            proxy::check_termination(&self.root, place, mtls, others);
        }
        let database_url = outside.database(&self.root);
        let sealing = self.table("sealing", |table| sealing::sealing(table, base));
        let feed = self.plain();
        let keys = self.keys(&feed);
        // What may be missing comes last, so that all faults are found before.
        Some(Settings {
            tokens: self.plain(),
            assertions: self.plain(),
            dpop: self.plain(),
            hashing: self.plain(),
            budget: self.plain(),
            cache: self.plain(),
            feed,
            database: self.plain(),
            limits: self.plain(),
            metadata: self.plain(),
            keys,
            metrics: self.plain(),
            log: self.plain(),
            audit: self.plain(),
            alerts: self.plain(),
            profile: outside.profile,
            public,
            mtls,
            proxy,
            operations,
            sealing,
            ..Settings::new(issuer?, database_url?)
        })
    }

    /// The table `[keys]`: a key must be known before its turn comes.
    fn keys(&mut self, feed: &Feed) -> Keys {
        let base = self.base;
        self.table(Keys::NAME, |table| {
            let keys = Keys::read(table, base);
            let shortest = notice(keys.jwks_max_age, feed.max_staleness);
            if keys.rotation.get() > 0 && keys.rotation < shortest {
                table.fault_of("rotation", Problem::ShortRotation(shortest));
            }
            keys
        })
    }

    /// A table whose keys are read each on its own.
    fn plain<T: Declared>(&mut self) -> T {
        let base = self.base;
        self.table(T::NAME, |table| T::read(table, base))
    }

    /// What `read` makes of the table `name`, where it is present.
    fn present<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Section<'t>) -> T,
    ) -> Option<T> {
        self.root.has(name)?;
        Some(self.table(name, read))
    }

    /// What `read` makes of the table `name`; an absent one is empty.
    fn table<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Section<'t>) -> T) -> T {
        let nothing = (self.root.place(), self.nothing);
        let table = self.root.table(name).unwrap_or(nothing);
        let mut table = Section::new(format!("{name}."), table, self.root.faults());
        let read = read(&mut table);
        table.finish();
        read
    }
}
