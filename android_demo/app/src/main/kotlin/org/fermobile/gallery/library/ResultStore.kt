package org.fermobile.gallery.library

import android.content.ContentValues
import android.content.Context
import android.database.sqlite.SQLiteDatabase
import android.database.sqlite.SQLiteOpenHelper
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.withContext
import org.fermobile.core.PhotoResult
import org.fermobile.core.Quality
import org.fermobile.gallery.logic.PhotoSummary
import org.fermobile.gallery.logic.summaryOf

/** Results that a pipeline of this [identity] gave just now, by the photos' keys. */
class AddedResults(val identity: String, val results: Map<String, PhotoSummary>)

/**
 * Results on the phone, by the pipeline's identity (which has the checksums of model and detector)
 * and the photo's key: another model finds none and computes anew.
 *
 * What the gallery shows is in columns of its own; the rest of a result is text, read for one photo.
 */
class ResultStore(context: Context) {
    private val database = object : SQLiteOpenHelper(context, "results.db", null, VERSION) {
        override fun onCreate(db: SQLiteDatabase) = db.execSQL(
            "CREATE TABLE results (identity TEXT NOT NULL, photo TEXT NOT NULL, label TEXT, confidence REAL, " +
                "quality REAL, flaw TEXT, result TEXT NOT NULL, PRIMARY KEY (identity, photo)) WITHOUT ROWID",
        )

        override fun onUpgrade(db: SQLiteDatabase, oldVersion: Int, newVersion: Int) {
            if (oldVersion == BEFORE_QUALITY) {
                db.execSQL("ALTER TABLE results ADD COLUMN quality REAL")
                db.execSQL("ALTER TABLE results ADD COLUMN flaw TEXT")
            } else {
                onDowngrade(db, oldVersion, newVersion)
            }
        }

        // Results can be computed again.
        override fun onDowngrade(db: SQLiteDatabase, oldVersion: Int, newVersion: Int) {
            db.execSQL("DROP TABLE IF EXISTS results")
            onCreate(db)
        }
    }
    private val adding = MutableSharedFlow<AddedResults>(extraBufferCapacity = 64)

    /** All that is [put], also what is not stored. */
    val added: SharedFlow<AddedResults> = adding.asSharedFlow()

    /** A summary of every photo that a pipeline has a result for. */
    suspend fun all(identity: String): Map<String, PhotoSummary> = withContext(Dispatchers.IO) {
        val columns = arrayOf("photo", "label", "confidence", "quality", "flaw")
        database.readableDatabase.query("results", columns, "identity = ?", arrayOf(identity), null, null, null)
            .use { rows ->
                buildMap {
                    while (rows.moveToNext()) {
                        val summary = PhotoSummary(
                            label = rows.getString(1),
                            confidence = if (rows.isNull(2)) null else rows.getFloat(2),
                            quality = if (rows.isNull(3)) null else rows.getDouble(3),
                            flaw = Quality.flawOf(rows.getString(4)),
                        )
                        put(rows.getString(0), summary)
                    }
                }
            }
    }

    /** The whole result of one photo, null where there is none. */
    suspend fun get(identity: String, photo: String): PhotoResult? = withContext(Dispatchers.IO) {
        val where = "identity = ? AND photo = ?"
        database.readableDatabase
            .query("results", arrayOf("result"), where, arrayOf(identity, photo), null, null, null)
            .use { row -> if (row.moveToNext()) resultOf(row.getString(0)) else null }
    }

    /** Stores results; errors are left out, because the next time a photo may be readable. */
    suspend fun put(identity: String, results: Map<String, PhotoResult>) {
        val summaries = results.mapValues { summaryOf(it.value) }
        withContext(Dispatchers.IO) {
            inTransaction { db ->
                for ((photo, result) in results) {
                    if (result.error != null) continue
                    val row = ContentValues().apply {
                        put("identity", identity)
                        put("photo", photo)
                        put("label", result.label)
                        put("confidence", result.confidence)
                        put("quality", summaries.getValue(photo).quality)
                        put("flaw", summaries.getValue(photo).flaw?.key)
                        put("result", textOf(result))
                    }
                    db.insertWithOnConflict("results", null, row, SQLiteDatabase.CONFLICT_REPLACE)
                }
            }
        }
        adding.emit(AddedResults(identity, summaries))
    }

    /** Removes the results of photos that are gone, and those of models that are ([models] are checksums). */
    suspend fun prune(photos: Set<String>, models: Set<String>) = withContext(Dispatchers.IO) {
        inTransaction { db ->
            val rows = db.query(true, "results", arrayOf("identity", "photo"), null, null, null, null, null, null).use {
                buildList { while (it.moveToNext()) add(it.getString(0) to it.getString(1)) }
            }
            for ((identity, photo) in rows) {
                if (photo in photos && models.any(identity::startsWith)) continue
                db.delete("results", "identity = ? AND photo = ?", arrayOf(identity, photo))
            }
        }
    }

    fun close() = database.close()

    private fun inTransaction(work: (SQLiteDatabase) -> Unit) {
        val db = database.writableDatabase
        db.beginTransaction()
        try {
            work(db)
            db.setTransactionSuccessful()
        } finally {
            db.endTransaction()
        }
    }

    private companion object {
        const val VERSION = 3
        const val BEFORE_QUALITY = 2
    }
}
