//! Gives the room of what was deleted back to the disk. It must not know what was deleted, and why.

use super::{Store, StoreError, dialect::Dialect};

/// So many pages are given back in one transaction: 2 MB, which other writers wait for.
const PAGES_AT_ONCE: i64 = 128;

/// Of so many pages one may be free, and always some: what is recorded next takes them, and a file that shrank would grow again.
const FREE_OF: i64 = 32;
const FREE_ALWAYS: i64 = 16;

impl Store {
    /// Gives some room back; says whether there is more to give. A server uses again by itself what is free within a month.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&self, now_ms: i64) -> Result<bool, StoreError> {
        if self.inner.dialect != Dialect::Sqlite {
            self.give_months_back(now_ms).await?;
            return Ok(false);
        }
        let pages = "select (select page_count from pragma_page_count()), (select freelist_count from pragma_freelist_count())";
        let (pages, free): (i64, i64) = sqlx::query_as(pages).fetch_one(&self.inner.read).await?;
        let surplus = free - (pages / FREE_OF).max(FREE_ALWAYS);
        if surplus <= 0 {
            return Ok(false);
        }
        // A row for each page: the statement has ended when all are read. Files of before do not know how to shrink, and give none.
        let give = format!("pragma incremental_vacuum({})", surplus.min(PAGES_AT_ONCE));
        sqlx::query(sqlx::AssertSqlSafe(give)).fetch_all(&self.inner.write).await?;
        let left: i64 = sqlx::query_scalar("select freelist_count from pragma_freelist_count()").fetch_one(&self.inner.write).await?;
        Ok(left < free && surplus > PAGES_AT_ONCE)
    }
}
