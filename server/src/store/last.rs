//! What was recorded last of a box, from its head or, where that is sealed, its newest chunks. It must not know who shows it.

use super::chunk::{Column, Times};
use super::head::Poll;
use super::read::refresh;
use super::tier::Tier;
use super::types::LastKnown;
use super::{Store, StoreError};

impl Store {
    /// What was recorded last of a box; none where nothing was.
    ///
    /// # Errors
    /// When the database fails, or what is stored does not decode.
    pub async fn last_known(&self, box_id: i64) -> Result<Option<LastKnown>, StoreError> {
        let poll = match self.last_of_head(box_id).await? {
            Some(poll) => Some(poll),
            None => self.last_of_chunks(box_id).await?,
        };
        let Some((at_ms, told)) = poll else { return Ok(None) };
        let start = sqlx::query_scalar("select started_ms from box where box_id = $1").bind(box_id);
        let started_ms: Option<Option<i64>> = start.fetch_optional(&self.inner.read).await?;
        let told: std::collections::HashMap<_, _> = told.into_iter().collect();
        let names = self.series_of(box_id).await?.into_iter();
        let values = names.filter_map(|(series, name)| Some((name.into(), *told.get(&series)?))).collect();
        Ok(Some(LastKnown { at_ms, started_ms: started_ms.flatten(), values }))
    }

    async fn last_of_head(&self, box_id: i64) -> Result<Option<Poll>, StoreError> {
        let shared = self.head_of(box_id);
        let mut head = shared.lock().await;
        let mut view = self.begin_read().await?;
        refresh(&mut view, box_id, &mut head).await?;
        view.commit().await?;
        Ok(head.last())
    }

    async fn last_of_chunks(&self, box_id: i64) -> Result<Option<Poll>, StoreError> {
        let mut view = self.begin_read().await?;
        let newest = "select start_ms, seq, payload from span where box_id = $1 and tier = $2 and seq > 0 order by seq desc limit 1";
        let newest = sqlx::query_as(newest).bind(box_id).bind(Tier::Raw.number());
        let newest: Option<(i64, i64, Vec<u8>)> = newest.fetch_optional(&mut *view).await?;
        let Some((start_ms, seq, times)) = newest else { return Ok(None) };
        let chunks = Self::chunks_of_span(&mut view, box_id, start_ms, seq).await?;
        view.commit().await?;
        let damaged = |error: super::bytes::Damage| StoreError::Damaged(format!("the newest span of box {box_id}: {}", error.0));
        let times = Times::decode(&times).map_err(damaged)?;
        let Some((last, &at_ms)) = times.at_ms.iter().enumerate().next_back() else { return Ok(None) };
        let mut told = Vec::new();
        for (series, payload) in chunks {
            Column::decode(&payload).map_err(damaged)?.for_each(last..last + 1, |_, value| told.push((series, value)));
        }
        Ok(Some((at_ms, told)))
    }
}
