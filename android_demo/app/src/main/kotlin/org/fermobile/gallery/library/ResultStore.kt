package org.fermobile.gallery.library

import android.content.ContentValues
import android.content.Context
import android.database.sqlite.SQLiteDatabase
import android.database.sqlite.SQLiteOpenHelper
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.fermobile.core.PhotoResult

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
                "result TEXT NOT NULL, PRIMARY KEY (identity, photo)) WITHOUT ROWID",
        )

        // Results can be computed again.
        override fun onUpgrade(db: SQLiteDatabase, oldVersion: Int, newVersion: Int) {
            db.execSQL("DROP TABLE IF EXISTS results")
            onCreate(db)
        }

        override fun onDowngrade(db: SQLiteDatabase, oldVersion: Int, newVersion: Int) =
            onUpgrade(db, oldVersion, newVersion)
    }

    /** Changes with every [put]: who has read everything need not read again before. */
    @Volatile
    var version = 0
        private set

    /** Label and confidence of every photo that a pipeline has a result for. */
    suspend fun all(identity: String): Map<String, PhotoResult> = withContext(Dispatchers.IO) {
        val columns = arrayOf("photo", "label", "confidence")
        database.readableDatabase.query("results", columns, "identity = ?", arrayOf(identity), null, null, null)
            .use { rows ->
                buildMap {
                    while (rows.moveToNext()) {
                        put(rows.getString(0), PhotoResult(rows.getString(1), if (rows.isNull(2)) null else rows.getFloat(2)))
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
    suspend fun put(identity: String, results: Map<String, PhotoResult>) = withContext(Dispatchers.IO) {
        inTransaction { db ->
            for ((photo, result) in results) {
                if (result.error != null) continue
                val row = ContentValues().apply {
                    put("identity", identity)
                    put("photo", photo)
                    put("label", result.label)
                    put("confidence", result.confidence)
                    put("result", textOf(result))
                }
                db.insertWithOnConflict("results", null, row, SQLiteDatabase.CONFLICT_REPLACE)
            }
        }
        version++
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
        const val VERSION = 2
    }
}
