import assert from 'node:assert/strict';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import bcrypt from 'bcrypt';
import { settingsOf } from '../../e2e/settings-of.ts';
import { AppError } from '../errors.ts';
import { countWork, restoreHashing, work } from './hashers/work.fixture.ts';
import { checkPassword, hashPassword, unusablePassword } from './hashers.ts';

const SETTINGS = settingsOf();
const AT_12 = settingsOf({ BCRYPT_ROUNDS: '12' });

/** Made by Django 5.2 for the password `pw-Fixture-123`. */
const DJANGO_HASH = 'bcrypt_sha256$$2b$12$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.';
