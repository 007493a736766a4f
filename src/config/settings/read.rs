//! From the tree of a settings document to [`Settings`], table by table.

use std::path::Path;

use super::declare::Declared;
use super::root::Root;
use super::{Feed, Keys, Settings, environment, keys, listeners, proxy, sealing};
use crate::config::absent_secrets::AbsentSecrets;
use crate::config::document::Table;
use crate::config::fault::{ConfigError, Faults, Place, Problem};
use crate::config::section::{self, Section};
use crate::domain::signing_key::periods::notice;

/// Reads everything; `place` is the document itself.
pub(super) fn settings(
    (mut table, place): (Table, Place),
    base: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
    absent: Option<&AbsentSecrets>,
) -> Result<Settings, ConfigError> {
    let faults = Faults::with(absent.cloned());
    let service_links = environment::overlay(&mut table, variables, &faults);
    let root = Section::new(String::new(), (place, table), &keys::top(), &faults);
    let settings = Reader { root, base }.settings();
    faults.or(settings.map(|settings| Settings {
        service_links,
        ..settings
    }))
}

struct Reader<'f> {
    root: Section<'f>,
    base: &'f Path,
}

impl<'f> Reader<'f> {
    fn settings(&mut self) -> Option<Settings> {
        let outside = Root::read(&mut self.root, self.base);
        let public = listeners::public(&mut self.inner("public"), self.base);
        let mtls = self
            .present("mtls")
            .and_then(|mut table| listeners::mutual(&mut table, self.base, public.as_ref()));
        let proxy = self
            .present("proxy")
            .map(|mut table| proxy::proxy(&mut table, self.base, mtls.as_ref()));
        let others = [
            public.as_ref().map(|public| public.listen),
            mtls.as_ref()
                .and_then(|mtls| Some(mtls.listener.as_ref()?.listen)),
        ];
        let operations = listeners::operations(&mut self.inner("operations"), self.base, others);
        let allow_plain_http = public.as_ref().is_some_and(|it| it.allow_plain_http);
        let issuer = outside.issuer(&self.root, allow_plain_http);
        if let (Some(mtls), Some(place)) = (&mtls, self.root.has("mtls")) {
            let others = (proxy.as_ref(), issuer.as_ref());
            proxy::check_termination(&self.root, &place, mtls, others);
        }
        let database_url = outside.database(&self.root);
        let sealing = sealing::sealing(&mut self.inner("sealing"), self.base);
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
            log: self.plain(),
            profile: outside.profile,
            public: public?,
            mtls,
            proxy,
            operations,
            sealing,
            ..Settings::new(issuer?, database_url?)
        })
    }

    /// The table `[keys]`: a key must be known before its turn comes.
    fn keys(&mut self, feed: &Feed) -> Keys {
        let mut table = self.inner(Keys::NAME);
        let keys = Keys::read(&mut table, self.base);
        let shortest = notice(keys.jwks_max_age, feed.max_staleness);
        if keys.rotation.get() > 0 && keys.rotation < shortest {
            let problem = Problem::ShortRotation(shortest);
            table.fault(&table.place_of("rotation"), "rotation", problem);
        }
        keys
    }

    /// A table whose keys are read each on its own.
    fn plain<T: Declared>(&mut self) -> T {
        let mut table = self.inner(T::NAME);
        T::read(&mut table, self.base)
    }

    /// The table `name`, where it is present.
    fn present(&mut self, name: &'static str) -> Option<Section<'f>> {
        self.root.has(name).map(|_| self.inner(name))
    }

    /// The table `name`; an absent one is empty.
    fn inner(&mut self, name: &'static str) -> Section<'f> {
        let place = self.root.place().clone();
        let table = self
            .root
            .read(name, section::table)
            .unwrap_or((place, Table::default()));
        let faults = self.root.faults();
        Section::new(format!("{name}."), table, keys::of(name), faults)
    }
}
