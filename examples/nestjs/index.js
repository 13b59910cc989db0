/**
 * A NestJS service with the mesh as a provider. Decorators are called as functions here, so that the file runs without a
 * compiler: `@Controller('users') class UsersController` in a program of yours.
 */
import 'reflect-metadata';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Controller, Get, Inject, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createMesh } from 'heddle';

const users = createServer((request, response) => response.end(JSON.stringify({ path: request.url })));
await once(users.listen(0, '127.0.0.1'), 'listening');

const MESH = Symbol('mesh');
const mesh = await createMesh({
  clusters: [{ name: 'users', endpoints: [`127.0.0.1:${users.address().port}`] }],
  ingress: { filters: [{ name: 'payload-limit', config: { maxBytes: 1000 } }] },
});

class UsersController {
  constructor(injected) {
    this.mesh = injected;
  }

  async find(id) {
    return (await this.mesh.fetch(`http://users/${id}`)).json();
  }
}
Inject(MESH)(UsersController, undefined, 0);
Param('id')(UsersController.prototype, 'find', 0);
Get(':id')(
  UsersController.prototype,
  'find',
  Object.getOwnPropertyDescriptor(UsersController.prototype, 'find'),
);
Controller('users')(UsersController);

class AppModule {
  // Nest ends its modules when it closes: the mesh with them.
  async onModuleDestroy() {
    await mesh.close();
  }
}
Module({ controllers: [UsersController], providers: [{ provide: MESH, useValue: mesh }] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
mesh.protect(app.getHttpServer());
await app.listen(0, '127.0.0.1');
const address = await app.getUrl();

const answer = await fetch(`${address}/users/42`);
console.log(answer.status, await answer.text());
const tooLarge = await fetch(`${address}/users/42`, { method: 'POST', body: 'x'.repeat(2000) });
console.log(tooLarge.status, tooLarge.headers.get('x-heddle-error'));

await app.close();
console.log('mesh closed:', mesh.isClosed);
users.close();
